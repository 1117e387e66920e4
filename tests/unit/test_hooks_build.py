"""Hooks files: accepted ones, and errors of the others, with file and line."""

import subprocess
from pathlib import Path

import neuralens_demo
import pytest
from click.testing import CliRunner
from neuralens_build import hooks, hooks_javascript, javascript
from neuralens_build.minification import bundle
from neuralens_embed.cli import main

GOOD = """from neuralens_tracker import before, on as listen
from neuralens_tracker.value_types import is_digits
from neuralens_tracker.vocabulary import SHARE as shared

names = ["a", "b"]
state = {"seen": 0}


def change(event):
    for name in names:
        if event.get("query") == name:
            return None
        elif event.get("event") == shared and is_digits("1"):
            event["query"] = name
    return event


def seen(event):
    state["seen"] = state["seen"] + 1


before(change)
listen("event", seen)
"""
IMPORT = "from neuralens_tracker import before\n"
WRONG = {
    "syntax": (IMPORT + "before(\n", ":2:7: '(' was never closed; write Python 3.11"),
    "subset": (
        IMPORT + "before(lambda event: {**event})\n",
        ":2:22: a dict is written key by key; write `copy()` and `update(...)` [language]",
    ),
    "event": (
        IMPORT + "before(lambda event: event if 'uid' in event else None)\n",
        ":2:31: in JavaScript, `len`, `list`, `sorted`, `in`, `*` and loops do not work on dicts",
    ),
    "event of a function": (
        IMPORT + "def f(event):\n    for key in event:\n        pass\n\n\nbefore(f)\n",
        ":3:16: in JavaScript, `len`, `list`, `sorted`, `in`, `*` and loops do not work on dicts",
    ),
    "loop": (
        IMPORT + "def f(event):\n    break\n\n\nbefore(f)\n",
        ":3:5: 'break' outside loop",
    ),
    "import": (
        "import os\n" + IMPORT + "before(os)\n",
        ":1:1: `os`: engines have only the tracker's own modules",
    ),
    "other module": (
        IMPORT + "from neuralens_tracker.web.ffi import window\nbefore(window)\n",
        ":2: hooks have no neuralens_tracker.web.ffi: import from neuralens_tracker, ",
    ),
    "name": (
        "from neuralens_tracker import befor\nbefor(1)\n",
        ":1: neuralens_tracker has no befor: did you mean before?",
    ),
    "internal name": (
        "from neuralens_tracker import hand_over\n",
        ":1: neuralens_tracker has no hand_over: there are track, identify",
    ),
    "word": (
        IMPORT + "from neuralens_tracker.vocabulary import SHARED\nbefore(SHARED)\n",
        ":2: neuralens_tracker.vocabulary has no SHARED: did you mean SHARE?",
    ),
    "top": (
        IMPORT + "for name in [1]:\n    before(name)\n",
        ":2: a hooks file has functions, values and calls at its top: put this into a function",
    ),
    "class": (
        IMPORT + "class Hook:\n    def __init__(self):\n        pass\n\n\nbefore(1)\n",
        ":2: a hooks file has functions, values and calls at its top",
    ),
    "print": (
        IMPORT + "before(lambda event: print(event))\n",
        ":2:22: there is no `print` here; write nothing: `data-debug` on the script",
    ),
    "nothing": ("x = 1\n", ":1: nothing is handed to the tracker: call before(function) or"),
    "empty": ("", ":1: nothing is handed to the tracker"),
    "no UTF-8": (b"# \n# \xff\n", ":2: this is not UTF-8"),
    "no text": ("# \n\0", ":2: this is not text"),
    "large": ("#" * 100_001, " has 100,001 bytes: give at most 100,000"),
}


@pytest.fixture
def file(tmp_path):
    """Write a hooks file and return its path."""

    def file(content, name="shop_hooks.py"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


def run(path, output):
    return CliRunner().invoke(main, ["build", "--with", str(path), "--output", str(output)])


@pytest.mark.parametrize("wrong", WRONG)
def test_an_invalid_file_is_one_sentence_with_file_and_line(file, tmp_path, wrong):
    content, sentence = WRONG[wrong]
    path = file(content)
    result = run(path, tmp_path / "dist")
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {path}{sentence}")
    assert result.output.count("\n") == 1
    assert not (tmp_path / "dist").exists()


def test_several_mistakes_are_counted(file):
    with pytest.raises(hooks.HooksError, match=r"shop_hooks\.py:2:.*\(and 1 more\)"):
        hooks.read(file(IMPORT + "before({1})\nbefore({2})\n"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Shop-Hooks.py", "cannot be imported: give it a name of a-z, 0-9 and _"),
        ("hooks.txt", "cannot be imported"),
        ("json.py", "has the name of another module"),
        ("neuralens_tracker.py", "has the name of another module"),
        ("pyscript.py", "has the name of another module"),
    ],
)
def test_a_name_that_cannot_be_imported(file, name, sentence):
    with pytest.raises(hooks.HooksError, match=sentence):
        hooks.read(file(GOOD, name))


def test_a_missing_file_and_a_folder(tmp_path):
    for path, reason in {tmp_path / "none.py": "No such file", tmp_path: "Is a directory"}.items():
        result = run(path, tmp_path / "dist")
        assert result.exit_code == 2
        assert result.output.startswith(f"Error: cannot read {path}: {reason}")
        assert result.output.count("\n") == 1


def test_the_demos_hooks_are_accepted():
    assert hooks.read(Path(neuralens_demo.__file__).with_name("shop_hooks.py")).name == "shop_hooks"


def play(code, calls):
    """Run the compiled hooks with a stand-in tracker that records calls; return the output."""
    script = f"const window = globalThis; {code}\n{calls}"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def compiled(file, tmp_path):
    """Return the compiled script of hooks, without the tracker."""

    def compiled(source):
        folder = tmp_path / "modules"
        folder.mkdir()
        javascript.compile_modules(["neuralens_tracker.value_types"], folder)
        hooks_javascript.write(hooks.read(file(source)), folder)
        entry = folder / "entry.js"
        entry.write_text("import { install } from './hooks.js';\ninstall();\n")
        return bundle(entry).script

    return compiled


def test_hooks_are_queued_before_the_calls_of_the_page(compiled):
    code = compiled(GOOD)
    lines = play(
        "window.neuralens = () => {}; neuralens.q = [['track', 'SHARE']];" + code,
        """
        const [before, on, track] = neuralens.q;
        console.log(before[0], on[0], on[1], track[0]);
        console.log(before[1]({ query: "a" }) ?? null);
        console.log(JSON.stringify(before[1]({ event: "SHARE" })));
        """,
    )
    assert lines == ["before on event track", "null", '{"event":"SHARE","query":"b"}']


def test_a_second_tracker_on_the_page_gets_no_hooks(compiled):
    lines = play(
        "window.neuralens = () => console.log('called'); neuralens.version = '1';" + compiled(GOOD),
        "console.log('end')",
    )
    assert lines == ["end"]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ('raise ValueError("no")', 4, "ValueError: no"),
        ('x = event.get("a")\n    return x["b"]', 5, "TypeError: "),
        ("if False:\n        pass\n    elif event['a']['b']:\n        pass", 6, "TypeError: "),
        ("for x in [1]:\n        event['a']['b']", 5, "TypeError: "),
        ("try:\n        pass\n    finally:\n        event['a']['b']", 7, "TypeError: "),
    ],
)
def test_exceptions_of_hooks_have_a_line(compiled, body, line, message):
    source = f"{IMPORT}\ndef fail(event):\n    {body}\n\nbefore(fail)\n"
    [sentence] = play(
        compiled(source),
        "try { neuralens.q[0][1]({}) } catch (error) { console.log(String(error)) }",
    )
    assert sentence.startswith(f"a hook raised {message}")
    assert sentence.endswith(f" (shop_hooks.py, line {line})")


def test_a_lambda_has_the_line_of_its_call(compiled):
    source = IMPORT + "\nbefore(lambda event: event['a']['b'])\nx = 1\n"
    [sentence] = play(
        compiled(source),
        "try { neuralens.q[0][1]({}) } catch (error) { console.log(String(error)) }",
    )
    assert sentence.endswith(" (shop_hooks.py, line 3)")
