"""The command ``build``."""

from pathlib import Path

import click

from neuralens_build.checkout import CHECKOUT

# The bundle for which the size of each module is printed.
SCRIPT = "neuralens.js"


class WrongInput(click.ClickException):
    """Invalid input; exits with the status of a usage error."""

    exit_code = 2


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the bundles. Default: dist, in the checkout if there is one.",
)
@click.option(
    "--with",
    "with_hooks",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python file with your own hooks, to include in the bundles.",
)
def build(output: Path | None, with_hooks: Path | None) -> None:
    """Build the bundles from the tracker's Python source. Run `npm install` first."""
    from neuralens_build import distribution, hooks
    from neuralens_build.compiler.source_map import count_bytes
    from neuralens_build.errors import BuildError

    in_checkout = (CHECKOUT / "pyproject.toml").is_file()
    folder = output or (CHECKOUT if in_checkout else Path.cwd()) / "dist"
    try:
        manifest = distribution.build(folder, hooks.read(with_hooks) if with_hooks else None)
    except (BuildError, OSError) as error:
        raise WrongInput(str(error)) from error
    for name, entry in manifest.items():
        click.echo(f"{entry['brotli']:>9,} bytes  {folder / name}")
    click.echo(f"Of {SCRIPT}, before compression:")
    script, source_map = ((folder / name).read_text("utf-8") for name in (SCRIPT, f"{SCRIPT}.map"))
    for name, count in count_bytes(script, source_map).items():
        click.echo(f"{count:>9,} bytes  {name}")
