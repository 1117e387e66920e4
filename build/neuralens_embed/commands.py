"""The commands ``snippet`` and ``audit``."""

import codecs
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import click
from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.reference import SETTINGS
from neuralens_tracker.value_types import COUNT, FLAG

from neuralens_embed.attributes import MarkupError
from neuralens_embed.bundles import NotBuiltError
from neuralens_embed.names import LOCAL_HOSTS, RELAY_PATH, camel, kebab
from neuralens_embed.snippet import (
    ALONE,
    CROSSORIGIN,
    PLATFORMS,
    RUNTIMES,
    VALUE_TYPES,
    Snippet,
)

# The most bytes of a page, and the timeout in seconds.
MAX_PAGE = 20_000_000
TIMEOUT = 10
# The metavars of settings in the help.
METAVARS = {COUNT: "NUMBER", FLAG: "[true|false]"}


class WrongInput(click.ClickException):
    """Invalid input; exits with the status of a usage error."""

    exit_code = 2


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each of the tracker's settings."""
    for name, value_type in reversed(VALUE_TYPES.items()):
        option = click.option(
            f"--{kebab(name)}",
            name,
            required=name == "app_id",
            metavar=METAVARS.get(value_type, "TEXT")
            if isinstance(value_type, str)
            else f"[{'|'.join(value_type)}]",
            # A flag without a value is set, as on the tag.
            is_flag=False,
            flag_value="true" if value_type == FLAG else None,
            help=SETTINGS[camel(name)].replace("`", ""),
        )
        command = option(command)
    return command


@click.command()
@settings_options
@click.option(
    "--prefix",
    metavar="PATH",
    default=RELAY_PATH,
    show_default=True,
    help="Path or URL at which pages reach the relay; sets the script's address and the endpoint.",
)
@click.option(
    "--src", metavar="URL", help="Address of the script, if it is not served under the prefix."
)
@click.option(
    "--runtime",
    metavar="NAME",
    default="javascript",
    show_default=True,
    help=f"The bundle to load: {', '.join(RUNTIMES)}.",
)
@click.option(
    "--pyscript",
    metavar="alone",
    is_flag=False,
    flag_value=ALONE[0],
    help="Start MicroPython without PyScript's core, for strict content security policies.",
)
@click.option(
    "--addon",
    "addons",
    metavar="NAME",
    multiple=True,
    help=f"An add-on to load; repeat the option for several: {', '.join(ADDONS)}.",
)
@click.option(
    "--consent-platform",
    type=click.Choice(PLATFORMS),
    help="The consent platform to follow. Consent is pending until it decides, unless --consent is"
    " given.",
)
@click.option(
    "--stub",
    is_flag=True,
    help="Prepend the inline stub, so that calls can be made before the script has loaded.",
)
@click.option("--nonce", metavar="NONCE", help="The nonce from the page's content security policy.")
@click.option(
    "--integrity/--no-integrity", default=True, help="Whether to add the hash of the built script."
)
@click.option(
    "--versioned/--unversioned",
    default=True,
    help="Whether the address contains the script's hash, so that browsers cache it for a year."
    " Without it, they ask the relay on each page whether their copy is still current.",
)
@click.option(
    "--bundles",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder that contains the bundles, if you built your own.",
)
@click.option(
    "--crossorigin",
    type=click.Choice(CROSSORIGIN),
    help="CORS mode of the script. Defaults to anonymous if it comes from another host.",
)
def snippet(**options: Any) -> None:
    """Print the script tag for a shop's pages.

    It is the same for every page, so it has no page token: with NEURALENS_PAGE_SECRET, the shop's
    server signs one for each page.
    """
    try:
        click.echo(Snippet(**options, page_secret="").render())
    except MarkupError as error:
        raise WrongInput(name_option(str(error))) from error
    except NotBuiltError as error:
        raise WrongInput(str(error)) from error


def name_option(message: str) -> str:
    """Return a message about an argument of Snippet with the name of the command's option."""
    argument, _, rest = message.partition(" ")
    names = {option.name: option.opts[0] for option in click.get_current_context().command.params}
    return f"{names.get(argument, argument)} {rest}"


format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Plain text, one JSON object per page, or annotations for GitHub Actions.",
)


@click.command()
@format_option
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@click.pass_context
def audit(ctx: click.Context, form: str, pages: tuple[str, ...]) -> None:
    """Show what the tracker would capture on each PAGE, and which attributes are wrong.

    PAGE is an HTML file, a URL on this machine, or - for standard input (the default). The exit
    status is 1 if anything is wrong.
    """
    if not report_pages(((page, read_page(page)) for page in pages or ("-",)), form):
        ctx.exit(1)


def report_pages(pages: Iterable[tuple[str, str]], form: str) -> bool:
    """Print the audit of each page, given as (name, HTML); return whether there are no problems.

    ``form`` is a key of ``reports.FORMATS``. Raises WrongInput without the extra ``audit``.
    """
    try:
        from neuralens_embed import audit, reports
    except ModuleNotFoundError as error:
        raise WrongInput(error.msg) from error

    right = True
    for page, html in pages:
        report = audit.audit(html)
        name = "standard input" if page == "-" else page
        for line in reports.FORMATS[form](name, report):
            print_line(line)
        right = right and not report.problems
    return right


def print_line(text: str) -> None:
    """Print a line, with escapes for characters that the output's encoding does not have.

    These may be characters of other languages on Windows, halves of an emoji that a shop has cut,
    or bytes of a file name that are not UTF-8.
    """
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def read_page(page: str) -> str:
    """Return the HTML text of a file, a local URL, or standard input."""
    if page == "-":
        content: bytes = sys.stdin.buffer.read(MAX_PAGE + 1)
    elif page.startswith(("http://", "https://")):
        content = fetch(page)
    else:
        try:
            with open(page, "rb") as file:
                content = file.read(MAX_PAGE + 1)
        except OSError as error:
            raise WrongInput(f"cannot read {page}: {error.strerror}") from error
    if len(content) > MAX_PAGE:
        raise WrongInput(f"{page} is larger than {MAX_PAGE} bytes")
    # Browsers, too, take a byte order mark for more than any declaration.
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if marked else "utf-8-sig", "replace")


class LocalRedirects(HTTPRedirectHandler):
    """Follows redirects that stay on this machine."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Return the request for a redirect's target."""
        try:
            require_local(newurl)
        except WrongInput:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def require_local(url: str) -> None:
    """Raise WrongInput for the URL of another machine."""
    if urlsplit(url).hostname not in LOCAL_HOSTS:
        raise WrongInput(f"{url} is not on this machine: save the page and give the file")


def fetch(url: str) -> bytes:
    """Return the content of a local URL, up to one byte more than MAX_PAGE."""
    require_local(url)
    try:
        with build_opener(LocalRedirects).open(url, timeout=TIMEOUT) as response:
            content: bytes = response.read(MAX_PAGE + 1)
            return content
    except HTTPError as error:
        error.close()
        raise WrongInput(f"{url} answered {error.code}") from error
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        told = getattr(reason, "strerror", None) or reason
        raise WrongInput(f"cannot reach {url}: {told}") from error
