"""The command: runs the measurements that are named, or all, and fails when a bound is broken."""

import importlib
import logging
import sys

import click

from bench.report import Report

# In the order of their duration.
MEASUREMENTS = ("sizes", "relay", "forwarding", "neighbours", "start", "scrolling", "runtimes")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(MEASUREMENTS))
def main(names: tuple[str, ...]) -> None:
    """Run the measurements NAMES, or all. Exit status 1 if a bound is broken."""
    # That the API cannot be reached is meant: the relay's warnings of it say nothing here.
    logging.basicConfig(level=logging.ERROR)
    broken = False
    for name in dict.fromkeys(names or MEASUREMENTS):
        report: Report = importlib.import_module(f"bench.{name}").measure()
        click.echo(report)
        broken = broken or not report.holds
    sys.exit(broken)


if __name__ == "__main__":
    main()
