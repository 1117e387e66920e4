"""Writes what the documents take from the code: commands.md, and the tables of the other pages.

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from neuralens_build.distribution import BUDGETS, LOAD_BUDGETS, MANIFEST
from neuralens_embed.cli import COMMANDS, main
from neuralens_embed.names import EVERY_SETTING, kebab, snake
from neuralens_relay.settings import describe
from neuralens_tracker import delivery, outbox, reference, vocabulary
from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.attribution import MAX_ORIGINS

DOCS = Path(__file__).parent
DIST = DOCS.parent / "dist"
PAGE = DOCS / "commands.md"
MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
INTRODUCTION = """# Commands

Every command of `neuralens-tracker`, with its options and the environment variables it reads:
the same as `neuralens-tracker COMMAND --help`, written here by `make docs`.
"""
INDEX = DOCS / "llms.txt"
SITE = DOCS.parent / "zensical.toml"


def commands() -> str:
    """Return the page of commands, in Markdown."""
    context = click.Context(main)
    sections = [INTRODUCTION]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(name)
        sections.append(f"## {name}\n\n{COMMANDS[name].help}\n\n    {usage(name, command)}\n")
        options = [each for each in command.params if isinstance(each, click.Option)]
        if options:
            sections.append(table(["option", "meaning"], map(describe_option, options)))
        if name == "relay":
            sections.append("Its settings are environment variables:\n")
            rows = [[f"`{each.variable}`", each.default, each.help] for each in describe()]
            sections.append(table(["variable", "default", "meaning"], rows))
    return "\n".join(sections)


def usage(name: str, command: click.Command) -> str:
    """Return how a command is called."""
    pieces = command.collect_usage_pieces(click.Context(command))
    return " ".join(["neuralens-tracker", name, *pieces])


def describe_option(option: click.Option) -> list[str]:
    """Return an option's names and its meaning."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    meaning = option.help or ""
    if option.show_default:
        meaning += f" Default: `{option.default}`."
    if option.envvar:
        meaning += f" Or `{option.envvar}`."
    return [names, meaning]


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def events() -> str:
    """Return the table of events."""
    return table(
        ["event", "sent when"], [[f"`{name}`", text] for name, text in reference.EVENTS.items()]
    )


def pages() -> str:
    """Return the table of pages."""
    rows = [[f"`{name}`", text] for name, text in reference.PAGE_NAMES.items()]
    return table(["page", "meaning"], rows)


def attributes(known: dict[str, reference.Attribute]) -> str:
    """Return a table of attributes."""
    rows = []
    for name, each in known.items():
        values = [each.example] if each.example else each.takes if name.endswith("action") else []
        shown = ", ".join(f'`{name}="{value}"`' for value in values or []) or f"`{name}`"
        rows.append([shown, each.meaning])
    return table(["attribute", "meaning"], rows)


def settings() -> str:
    """Return the table of settings."""
    rows = []
    for name, each in EVERY_SETTING.items():
        default = "" if each.default in (None, "") else json.dumps(each.default).strip('"')
        shown = f"`{default}`" if default else ""
        rows.append([f"`data-{kebab(snake(name))}`", f"`{name}`", shown, reference.SETTINGS[name]])
    return table(["attribute", "key", "default", "meaning"], rows)


def addons() -> str:
    """Return the table of add-ons."""
    rows = []
    for name, own in ADDONS.items():
        named = ", ".join(f"`data-{kebab(snake(each))}`" for each in own)
        rows.append([f"`{name}`", reference.ADDONS[name], named])
    return table(["add-on", "does", "settings"], rows)


def calls() -> str:
    """Return the table of calls."""
    rows = [[f"`{name}({each.arguments})`", each.meaning] for name, each in reference.CALLS.items()]
    return table(["call", "does"], rows)


def storage() -> str:
    """Return the table of what is stored in the browser."""
    kept = [
        [f"`localStorage`, `{vocabulary.PREFIX}{key}`", each.what, each.how_long]
        for key, each in reference.STORED.items()
    ]
    cookie = "which batches have arrived, set by the relay"
    kept.append(["cookie `nl_ack`", cookie, "10 minutes at most; cleared when read"])
    return table(["where", "what", "for how long"], kept)


def limits() -> str:
    """Return the table of limits that no setting changes."""
    rows: list[list[Any]] = [
        ["characters of an id", vocabulary.MAX_TEXT, "the event is suppressed, and reported"],
        [
            "characters of a query",
            vocabulary.MAX_TEXT,
            "left out, and reported; `nl.context` truncates it",
        ],
        [
            "queued events in one browser",
            outbox.MAX_EVENTS,
            "the oldest is dropped, and counted",
        ],
        ["bytes of one batch", vocabulary.MAX_BATCH_BYTES, "split into several"],
        [
            "characters in flight",
            delivery.MAX_CHARACTERS_IN_FLIGHT,
            "the rest waits: browsers share 64 KiB",
        ],
        [
            "products with an attributed search",
            MAX_ORIGINS,
            "the least recently used is dropped",
        ],
        [
            "refusals of an event in a batch of its own, while others succeed",
            delivery.MAX_REFUSALS,
            "discarded, and counted as lost",
        ],
    ]
    return table(
        ["what", "at most", "beyond that"],
        [[what, f"{most:,}", beyond] for what, most, beyond in rows],
    )


def sizes() -> str:
    """Return the table of the bundles' sizes, as the last build left them."""
    built = json.loads((DIST / MANIFEST).read_text("utf-8"))

    def weigh(names: Iterable[str]) -> str:
        return kilobytes(sum(entry["brotli"] for name, entry in built.items() if name in names))

    rows = [[f"`{name}`", weigh([name]), kilobytes(most)] for name, most in BUDGETS.items()]
    for prefixes, most in LOAD_BUDGETS.items():
        held = [name for name in built if name.startswith(prefixes) and not name.endswith(".map")]
        name = "PyScript's core" if "pyscript/core" in prefixes else "MicroPython alone"
        rows.append([f"`neuralens.pyscript.js` with {name}", weigh(held), kilobytes(most)])
    return table(["file", "kB", "at most"], rows)


def kilobytes(size: int) -> str:
    """Return a size in kB. Files and limits are rounded alike, so that no file seems too large."""
    return f"{size / 1000:.1f}"


TABLES: dict[str, Callable[[], str]] = {
    "addons": addons,
    "calls": calls,
    "context": lambda: attributes(reference.CONTEXT),
    "events": events,
    "items": lambda: attributes(reference.ITEMS),
    "limits": limits,
    "pages": pages,
    "settings": settings,
    "sizes": sizes,
    "storage": storage,
}


def index() -> str:
    """Return llms.txt: the pages in the order of the site, each with its first sentence.

    Source: https://llmstxt.org.
    """
    site = tomllib.loads(SITE.read_text("utf-8"))["project"]
    lines = [f"# {site['site_name']}", "", f"> {site['site_description']}", "", "## Documents", ""]
    for name in in_order(site["nav"]):
        heading, text = (DOCS / name).read_text("utf-8").split("\n", 1)
        first = " ".join(text.strip().split("\n\n")[0].split())
        sentence = re.split(r"(?<=[.])\s", re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", first))[0]
        lines.append(f"- [{heading[2:]}]({name}): {sentence}")
    return "\n".join(lines) + "\n"


def in_order(entries: Iterable[Any]) -> Iterator[str]:
    """Yield the names of the pages of a navigation."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from in_order([value] if isinstance(value, str) else value)


def fill(text: str) -> str:
    """Return a document with its tables as they are now."""
    return MARKED.sub(lambda found: found[1] + "\n" + TABLES[found[2]]() + "\n" + found[4], text)


if __name__ == "__main__":
    PAGE.write_text(commands(), "utf-8")
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(fill(path.read_text("utf-8")), "utf-8")
    INDEX.write_text(index(), "utf-8")
