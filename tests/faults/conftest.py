"""The fixtures of the browser tests, and the table of outcomes."""

from pathlib import Path

import pytest

from tests.browser.bare_browser import bare_browser
from tests.browser.engines.fixtures import (
    caching,
    engine,
    firefox,
    new_profile,
    parametrize_engine,
    webkit,
)
from tests.browser.ledger import earlier_uids, ledger, uid
from tests.browser.page import context, put, show, tag
from tests.browser.servers import credentials, relay, relay_process, sandbox
from tests.browser.shop import shop, shop_server
from tests.faults.accounts import accounts
from tests.faults.table import SECTIONS, add_row, save

# The marker expression of ``make test-faults``.
ALL_FAULTS = "not packages"
TABLE = Path(__file__).parent / "test_faults.py"


@pytest.fixture
def runtime() -> str:
    """The bundle of these tests."""
    return "javascript"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked ``every_engine`` in each installed engine.

    ``make test`` runs the table's faults in Chromium alone.
    """
    others = [pytest.mark.faults] if metafunc.definition.path == TABLE else []
    parametrize_engine(metafunc, *others)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables; ``make test-faults`` also writes them to docs/faults.md."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
    ]
    rows: dict[str, list[list[str]]] = {
        section: [
            value for report in reports for name, value in report.user_properties if name == section
        ]
        for section in SECTIONS
    }
    for name, found in rows.items():
        if found:
            terminalreporter.write_line(SECTIONS[name].as_text(found))
    option = terminalreporter.config.option
    if option.markexpr == ALL_FAULTS and any(rows.values()):
        folder = Path(__file__).parent
        arguments = [Path(each).resolve() for each in terminalreporter.config.args]
        whole = arguments == [folder] and not option.keyword

        save(folder.parents[1] / "docs" / "faults.md", rows, whole)
