"""What a visitor can try out: the tracker's runtimes, and the account of the shop's staff."""

from pathlib import Path

from neuralens_embed.bundles import NotBuiltError, directory, integrity, manifest
from neuralens_embed.snippet import RUNTIMES
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_demo.forms import go_back, read_form

# Both last as long as the visit: cookies without an end of their own.
RUNTIME_COOKIE = "runtime"
ACCOUNT_COOKIE = "account"
DEFAULT = next(iter(RUNTIMES))
STAFF = "staff"
ACCOUNTS = ("guest", STAFF)
# The account whose events shop_hooks.py drops.
STAFF_UID = "staff-test-account"


def folder() -> Path:
    """Return the folder of the bundles that have the shop's own hooks in them.

    Raises NotBuiltError when there are none.
    """
    place = directory() / "demo"
    manifest(place)
    return place


def runtime_of(request: Request, place: Path) -> str:
    """Return the runtime that the visitor has chosen, as far as its bundle was built."""
    chosen = request.cookies.get(RUNTIME_COOKIE)
    return chosen if chosen in RUNTIMES and RUNTIMES[chosen] in manifest(place) else DEFAULT


def account_of(request: Request) -> str:
    """Return whose account the visitor uses."""
    chosen = request.cookies.get(ACCOUNT_COOKIE)
    return chosen if chosen in ACCOUNTS else ACCOUNTS[0]


class Tracking:
    """The endpoints of the switches in the footer; ``place`` is the folder of the bundles."""

    def __init__(self, place: Path) -> None:
        self._place = place

    async def choose_runtime(self, request: Request) -> Response:
        """Keep the runtime for the rest of the visit."""
        form = await read_form(request)
        runtime = form.get("runtime", "")
        if runtime not in RUNTIMES:
            raise HTTPException(400, f"The runtime must be one of {', '.join(RUNTIMES)}.")
        try:
            integrity(RUNTIMES[runtime], self._place)
        except NotBuiltError as error:
            raise HTTPException(404, str(error)) from error
        return keep(RUNTIME_COOKIE, runtime, form)

    async def choose_account(self, request: Request) -> Response:
        """Keep the account for the rest of the visit."""
        form = await read_form(request)
        account = form.get("account", "")
        if account not in ACCOUNTS:
            raise HTTPException(400, f"The account must be one of {', '.join(ACCOUNTS)}.")
        return keep(ACCOUNT_COOKIE, account, form)


def keep(cookie: str, value: str, form: dict[str, str]) -> Response:
    """Lead back to where the form stood, with a choice that stays for the visit."""
    answer = go_back(form.get("back"))
    answer.set_cookie(cookie, value, httponly=True, samesite="lax")
    return answer
