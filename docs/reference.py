"""Writes commands.md: every command with its options and environment variables, as they are."""

from collections.abc import Iterable
from pathlib import Path

import click
from neuralens_embed.cli import COMMANDS, main
from neuralens_relay.settings import describe

PAGE = Path(__file__).with_name("commands.md")
INTRODUCTION = """# Commands

Every command of `neuralens-tracker`, with its options and the environment variables that it reads:
what `neuralens-tracker COMMAND --help` says, written here by `make docs`.
"""


def commands() -> str:
    """Return the page, in Markdown."""
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
            rows = [[f"`{name}`", default, meaning] for name, meaning, default in describe()]
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


if __name__ == "__main__":
    PAGE.write_text(commands(), "utf-8")
