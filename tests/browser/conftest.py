"""Real parts for the browser tests: the browsers, a shop, a relay process and a sandbox process.

Pages come from the shop, which passes what is under /nl on to the relay as a shop's own proxy
does. So a page, the bundles and the relay share one origin, and a relay may end and come back.
The fixtures are in the modules beside this one.
"""

from pathlib import Path

import pytest

from tests.browser.bare_browser import bare_browser
from tests.browser.boundary.program import findings, new_globals, program, until
from tests.browser.boundary.site import site, visit
from tests.browser.clock import stop_clock
from tests.browser.engines import describe_engines
from tests.browser.engines.fixtures import (
    caching,
    engine,
    firefox,
    new_profile,
    parametrize_engine,
    webkit,
)
from tests.browser.ledger import ledger, strangers, uid
from tests.browser.page import context, put, show, tag
from tests.browser.runtimes import is_nightly, runtime
from tests.browser.servers import credentials, relay, relay_process, sandbox
from tests.browser.shop import shop, shop_server

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run in every engine what is marked so."""
    parametrize_engine(metafunc)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which browsers were tested, and what was left out."""
    terminalreporter.write_line(describe_engines())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is repeated on the heavy runtimes to ``make nightly``."""
    for item in items:
        if item.path.is_relative_to(HERE) and is_nightly(item):
            item.add_marker("nightly")
