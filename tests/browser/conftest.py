"""Fixtures of the browser tests: browsers, a shop, and processes of the relay and the sandbox.

The shop serves the pages, and forwards /nl to the relay as a shop's proxy does. So pages, bundles
and relay have one origin, and the relay can be restarted. The fixtures are defined in the modules
of this package.
"""

from pathlib import Path

import pytest

from tests.browser.bare_browser import bare_browser
from tests.browser.boundary.program import findings, new_globals, program, until
from tests.browser.boundary.site import site, visit
from tests.browser.clock import show_timed, stop_clock
from tests.browser.demo import demo
from tests.browser.engines import describe_engines
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
from tests.browser.runtimes import find_redundant, is_nightly, runtime
from tests.browser.servers import credentials, relay, relay_process, sandbox
from tests.browser.shop import shop, shop_server

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked ``every_engine`` in each installed engine."""
    parametrize_engine(metafunc)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which browsers were tested, and which were skipped."""
    terminalreporter.write_line(describe_engines())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that are repeated on the heavy runtimes as nightly, and leave some out."""
    own = [item for item in items if item.path.is_relative_to(HERE)]
    for item in own:
        if is_nightly(item):
            item.add_marker("nightly")
    redundant = find_redundant(own)
    config.hook.pytest_deselected(items=list(redundant))
    items[:] = [item for item in items if item not in redundant]
