"""The command ``verify``."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click
from neuralens_embed.bundles import NotBuiltError
from neuralens_embed.commands import WrongInput
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError

from neuralens_verify.addresses import first_line
from neuralens_verify.browsing import UnreachableError, Wishes, visit
from neuralens_verify.diagnoses import diagnose
from neuralens_verify.reports import FORMATS

# Programs that are a Chromium, by their names on PATH.
PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)


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
    help="How to answer the shop's consent banner.",
)
@click.option(
    "--query",
    default="",
    metavar="TEXT",
    help="What to search for; by default, a word from a product's name.",
)
@click.option("--gpc", is_flag=True, help="Send Global Privacy Control.")
@click.option(
    "--relay", default="", metavar="URL", help="The relay's own address, to read its health."
)
@click.option(
    "--status-token",
    default="",
    envvar="NEURALENS_STATUS_TOKEN",
    metavar="TOKEN",
    help="The token with which other machines may read the relay's health.",
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
    browser: str | None,
    url: str,
) -> None:
    """Visit the shop at URL in a real browser, and report what is captured, sent and acknowledged.

    Answers the consent banner, scrolls, searches, picks a suggestion and opens a product. Reports
    each fault with its cause and remedy. Exit status 1 if there is any, 2 if the visit failed.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise WrongInput(f"{url} is no http or https URL")
    wishes = Wishes(consent == "refuse", query, gpc, relay, status_token)
    try:
        with chromium(browser) as started:
            seen = visit(started, url, wishes)
    except (UnreachableError, NotBuiltError) as error:
        raise WrongInput(str(error)) from error
    findings = diagnose(seen)
    for line in FORMATS[form](seen, findings):
        click.echo(line)
    if findings:
        ctx.exit(1)


@contextmanager
def chromium(path: str | None) -> Iterator[Browser]:
    """Start a Chromium: the named one, one on PATH, or Playwright's own; raises WrongInput."""
    program = path or next(filter(None, map(shutil.which, PROGRAMS)), None)
    # As root, in containers, there is no sandbox.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program, args=arguments)
        except BrowserError as error:
            raise WrongInput(
                f"no Chromium can be started ({first_line(error)}): install one, run"
                " `playwright install chromium`, or name it with --browser"
            ) from error
        try:
            yield started
        finally:
            started.close()
