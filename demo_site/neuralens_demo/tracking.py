"""The demo's switches: the tracker's runtime, and the shopper's account."""

from pathlib import Path

from neuralens_embed.bundles import NotBuiltError, directory, integrity, manifest
from neuralens_embed.snippet import RUNTIMES
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_demo.forms import go_back, read_form

# Session cookies.
RUNTIME_COOKIE = "runtime"
ACCOUNT_COOKIE = "account"
DEFAULT = next(iter(RUNTIMES))
STAFF_ACCOUNT = "staff"
ACCOUNTS = ("guest", STAFF_ACCOUNT)
# The account whose events are dropped by shop_hooks.py.
STAFF_UID = "staff-test-account"


def folder() -> Path:
    """Return the folder of the bundles that include the shop's own hooks.

    Raises NotBuiltError if they are not built.
    """
    bundles = directory() / "demo"
    manifest(bundles)
    return bundles


def runtime_of(request: Request, bundles: Path) -> str:
    """Return the runtime that the visitor has chosen, if its bundle is built, or the default."""
    chosen = request.cookies.get(RUNTIME_COOKIE)
    return chosen if chosen in RUNTIMES and RUNTIMES[chosen] in manifest(bundles) else DEFAULT


def account_of(request: Request) -> str:
    """Return the account that the visitor has chosen."""
    chosen = request.cookies.get(ACCOUNT_COOKIE)
    return chosen if chosen in ACCOUNTS else ACCOUNTS[0]


class Tracking:
    """The endpoints of the switches in the footer; ``bundles`` is the folder of the bundles."""

    def __init__(self, bundles: Path) -> None:
        self._bundles = bundles

    async def choose_runtime(self, request: Request) -> Response:
        """Store the runtime for the session."""
        form = await read_form(request)
        runtime = form.get("runtime", "")
        if runtime not in RUNTIMES:
            raise HTTPException(400, f"The runtime must be one of {', '.join(RUNTIMES)}.")
        try:
            integrity(RUNTIMES[runtime], self._bundles)
        except NotBuiltError as error:
            raise HTTPException(404, str(error)) from error
        return store(RUNTIME_COOKIE, runtime, form)

    async def choose_account(self, request: Request) -> Response:
        """Store the account for the session."""
        form = await read_form(request)
        account = form.get("account", "")
        if account not in ACCOUNTS:
            raise HTTPException(400, f"The account must be one of {', '.join(ACCOUNTS)}.")
        return store(ACCOUNT_COOKIE, account, form)


def store(cookie: str, value: str, form: dict[str, str]) -> Response:
    """Set a session cookie, and redirect back to the form's page."""
    response = go_back(form.get("back"))
    response.set_cookie(cookie, value, httponly=True, samesite="lax")
    return response
