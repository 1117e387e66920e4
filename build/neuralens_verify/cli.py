"""The command ``verify``."""

from urllib.parse import urlsplit

import click
from neuralens_embed.bundles import NotBuiltError
from neuralens_embed.commands import WrongInput, print_line

from neuralens_verify.addresses import split_login
from neuralens_verify.diagnoses import diagnose
from neuralens_verify.findings import Finding
from neuralens_verify.observations import Observations
from neuralens_verify.reports import FORMATS


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="Plain text, one JSON object, or annotations for GitHub Actions.",
)
@click.option(
    "--consent",
    type=click.Choice(["accept", "refuse"]),
    default="accept",
    show_default=True,
    help="How to answer the shop's consent banner; an event after it was refused is a fault.",
)
@click.option(
    "--query",
    default="",
    metavar="TEXT",
    help="What to search for; by default, a word from a product's name.",
)
@click.option("--gpc", is_flag=True, help="Send Global Privacy Control.")
@click.option(
    "--relay",
    default="",
    metavar="URL",
    help="The relay's own address, such as http://127.0.0.1:8787/nl, to read its health and so"
    " check whether events reach the API.",
)
@click.option(
    "--status-token",
    default="",
    envvar="NEURALENS_STATUS_TOKEN",
    show_envvar=True,
    metavar="TOKEN",
    help="The relay's status token, to read its health from another machine.",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Accept certificates that browsers do not trust, as in development.",
)
@click.option(
    "--browser", metavar="PATH", help="The Chromium, Chrome or Edge to use, if it is not on PATH."
)
@click.argument("url")
@click.pass_context
def verify(
    ctx: click.Context,
    form: str,
    consent: str,
    query: str,
    gpc: bool,
    relay: str,
    status_token: str,
    insecure: bool,
    browser: str | None,
    url: str,
) -> None:
    """Visit the shop at URL in a real browser, and report what is captured, sent and acknowledged.

    Answers the consent banner, scrolls, searches, picks a suggestion and opens a product. Reports
    each fault with its cause and remedy. The exit status is 1 if there are any, and 2 if the visit
    failed.
    """
    # Not at the top: `--help` works without Playwright, which is in the extra.
    from neuralens_verify.browser import chromium
    from neuralens_verify.visit import Options, UnreachableError, visit

    options = Options(
        refuse=consent == "refuse",
        query=query,
        gpc=gpc,
        relay=relay,
        token=status_token,
        insecure=insecure,
    )
    address = without_login(url)
    try:
        require_url(url)
        address, _ = split_login(url)
        if relay:
            require_url(relay)
        with chromium(browser) as launched:
            seen = visit(launched, url, options)
    except (UnreachableError, NotBuiltError, WrongInput) as error:
        message = error.message if isinstance(error, WrongInput) else str(error)
        report(form, Observations(address, options.refuse), [], message)
        raise WrongInput(message) from error
    findings = diagnose(seen)
    report(form, seen, findings)
    if findings:
        ctx.exit(1)


def report(form: str, seen: Observations, findings: list[Finding], error: str = "") -> None:
    """Print a report in a format; ``error`` is why the visit failed, "" if it did not."""
    for line in FORMATS[form](seen, findings, error):
        print_line(line)


def without_login(text: str) -> str:
    """Return a URL, or what was given as one, without what precedes an @: it may be a password."""
    return text.rpartition("@")[2]


def require_url(text: str) -> None:
    """Raise WrongInput for a text that is not the URL of a web page."""
    try:
        parts = urlsplit(text)
        # It may be no number.
        is_page = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_page = False
    if not is_page:
        given = without_login(text)
        raise WrongInput(f"{given} is not an http or https URL, such as https://shop.example/")
