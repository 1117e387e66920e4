"""The command line: one group, and the snippet from options."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from neuralens_embed import bundles
from neuralens_embed.cli import COMMANDS, main
from neuralens_embed.commands import print_line
from neuralens_embed.names import kebab
from neuralens_embed.snippet import VALUE_TYPES, Snippet
from neuralens_tracker.vocabulary import PAGES

COMMAND = Path(sys.executable).with_name("neuralens-tracker")


def run(*arguments: str, page: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=page)


def test_help_lists_every_command_without_importing_any() -> None:
    code = (
        "import sys\nfrom neuralens_embed.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = ('aiohttp', 'starlette', 'neuralens_build.hooks')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line]
    assert (
        listed
        == sorted(COMMANDS)
        == sorted(["demo", "dev", "relay", "sandbox", "snippet", "build", "audit", "verify"])
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_command_is_one_sentence() -> None:
    result = run("serve")
    assert result.exit_code == 2
    assert "No such command 'serve'" in result.output
    assert "No such command 'snipet'. Did you mean 'snippet'?" in run("snipet").output


def test_the_snippet_from_options() -> None:
    options = ["--page", PAGES[0], "--view-ms", "500", "--nonce", "abc", "--query", '"><b>']
    result = run("snippet", "--app-id", "APP", "--no-integrity", *options)
    assert result.exit_code == 0
    expected = Snippet(
        "APP", page=PAGES[0], view_ms=500, nonce="abc", query='"><b>', integrity=False
    )
    assert result.output == f"{expected}\n"


def test_the_snippet_has_an_option_for_every_setting() -> None:
    listed = run("snippet", "--help").output
    assert [name for name in VALUE_TYPES if f"--{kebab(name)} " not in listed] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Missing option '--app-id'"),
        (["--app-id", "A", "--page", "HOME"], "Error: --page must be one of SEARCH_RESULT_PAGE"),
        (
            ["--app-id", "A", "--runtime", "lua"],
            "Error: --runtime must be one of javascript, brython, pyscript",
        ),
        (["--app-id", "A", "--view-ms", "soon"], "Error: --view-ms must be a whole number from 0"),
    ],
)
def test_an_invalid_option_is_one_sentence(options: list[str], message: str) -> None:
    result = run("snippet", *options)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_an_unknown_runtime_is_one_sentence() -> None:
    result = run("snippet", "--app-id", "A", "--runtime", "lua")
    assert (result.exit_code, result.output) == (
        2,
        "Error: --runtime must be one of javascript, brython, pyscript, not 'lua'\n",
    )


@pytest.mark.parametrize("runtime", ["brython", "pyscript"])
def test_a_bundle_that_is_not_built_is_one_sentence(tmp_path: Path, runtime: str) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    options = ["--app-id", "A", "--runtime", runtime, "--bundles", str(tmp_path)]
    result = run("snippet", *options)
    assert result.exit_code == 2
    assert f"has no neuralens.{runtime}.js: run `make build` again" in result.output
    assert result.output.count("\n") == 1


def test_missing_bundles_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "PACKAGE", tmp_path)
    monkeypatch.setattr(bundles, "CHECKOUT", tmp_path)
    result = run("snippet", "--app-id", "APP")
    assert result.exit_code == 2
    assert "make build" in result.output


@pytest.mark.parametrize(
    ("encoding", "printed"), [("utf-8", "über.html"), ("ascii", "\\xfcber.html")]
)
def test_output_in_another_encoding(encoding: str, printed: str, tmp_path: Path) -> None:
    """What it does not have is escaped; JSON remains valid."""
    page = tmp_path / "über.html"
    page.write_text('<i data-nl-product="A" data-nl-query="über"></i>', "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}

    def audit(form: str) -> str:
        command = [COMMAND, "audit", "--format", form, page.name]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, check=True
        )
        return done.stdout.decode(encoding)

    assert audit("text").startswith(f"{printed}:1: VIEW_PRODUCT")
    assert json.loads(audit("json"))["events"][0]["query"] == "über"


def test_half_an_emoji_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_line('query "\ud83d"')
    assert capsys.readouterr().out == 'query "\\ud83d"\n'
