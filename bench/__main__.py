"""The command: runs the given benchmarks, or all, and fails if a bound is exceeded."""

import importlib
import logging
import sys

import click

from bench.report import Report

# By duration.
BENCHMARKS = (
    "sizes",
    "relay",
    "forwarding",
    "neighbors",
    "start",
    "scrolling",
    "runtimes",
    "memory",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
def main(names: tuple[str, ...]) -> None:
    """Run the benchmarks NAMES, or all. The exit status is 1 if a bound is exceeded."""
    # Hides the relay's warnings about the API, which is unreachable on purpose.
    logging.basicConfig(level=logging.ERROR)
    exceeded = False
    for name in dict.fromkeys(names or BENCHMARKS):
        report: Report = importlib.import_module(f"bench.{name}").measure()
        click.echo(report)
        exceeded = exceeded or not report.holds
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
