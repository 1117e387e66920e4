"""The browsers of the tests, each with its own automation protocol.

Chromium is driven by Playwright. Firefox and WebKit are the system's own builds: Firefox speaks
WebDriver BiDi, WebKit W3C WebDriver; ``page`` gives both the part of Playwright's page that the
tests use, so that one test runs in all three.
"""

import shutil
from functools import cache
from pathlib import Path

# Pixels.
VIEWPORT = {"width": 1000, "height": 800}
ENGINES = ("chromium", "firefox", "webkit")
# The Debian packages that each needs.
PACKAGES = {
    "chromium": "chromium",
    "firefox": "firefox-esr",
    "webkit": "webkit2gtk-driver and xvfb",
}


def firefox_path() -> str | None:
    """Return the path of Firefox, or None."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def minibrowser_path() -> str | None:
    """Return the path of WebKitGTK's MiniBrowser, which WebKitWebDriver starts."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))
    return str(found[-1]) if found else None


@cache
def is_installed(engine: str) -> bool:
    """Return whether an engine is installed."""
    if engine == "firefox":
        return firefox_path() is not None
    if engine == "webkit":
        programs = [shutil.which("WebKitWebDriver"), shutil.which("Xvfb"), minibrowser_path()]
        return None not in programs
    return True


def installed_engines() -> list[str]:
    """Return the installed engines."""
    return [engine for engine in ENGINES if is_installed(engine)]


def describe_engines() -> str:
    """Describe in one line which browsers are tested, and which are skipped."""
    here = installed_engines()
    missing = [f"{engine} (install {PACKAGES[engine]})" for engine in ENGINES if engine not in here]
    line = f"browsers: {', '.join(here)}"
    return f"{line}; left out: {', '.join(missing)}" if missing else line
