"""The documents mention everything that exists, and nothing else."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from neuralens_embed.attributes import Attributes
from neuralens_embed.cli import main
from neuralens_embed.names import EVERY_SETTING
from neuralens_relay.breaker import State
from neuralens_relay.client import URL as RELAY_URL
from neuralens_relay.settings import describe
from neuralens_tracker import attributes
from neuralens_tracker import reference as meanings
from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.vocabulary import ACTIONS, CONSENTS, EVENTS, PAGES

from docs import reference

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("**/*.md"),
        *(ROOT / "deploy").glob("*.md"),
    )
}
# Documents of past versions.
PRESENT = {name: text for name, text in DOCUMENTS.items() if name != "CHANGELOG.md"}
README, ARCHITECTURE = DOCUMENTS["README.md"], DOCUMENTS["ARCHITECTURE.md"]
PACKAGES = {path.name: path for path in ROOT.glob("*/neuralens_*") if path.is_dir()}
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in (
        "tracker",
        "build",
        "relay",
        "integrations",
        "demo_site",
        "tests",
        "bench",
        "docs",
    )
    for path in (ROOT / folder).rglob("*")
    if "__pycache__" not in path.parts
]


def section(text: str, heading: str) -> str:
    """Return the section of a heading."""
    level = heading.partition(" ")[0]
    assert f"\n{heading}\n" in text, f"no heading {heading!r}"
    below = text.partition(f"\n{heading}\n")[2]
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def first_column(text: str) -> str:
    """Return the first cells of all tables."""
    return "\n".join(re.findall(r"^\|((?:\\\||[^|])*)\|", text, re.MULTILINE))


def code(text: str) -> list[str]:
    """Return inline code, and the lines of code blocks."""
    blocks = re.findall(r"^(?: {4,}(?=\S)|\t)(.+)$", text, re.MULTILINE)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)) + [
        line for block in (*blocks, *fenced) for line in block.splitlines()
    ]


def mentions(pattern: str) -> list[tuple[str, Any]]:
    """Return (document, text), or (document, groups), for all matches in the documents."""
    return sorted(
        {(name, found) for name, text in PRESENT.items() for found in re.findall(pattern, text)}
    )


def unknown(pattern: str, known: set[str]) -> list[tuple[str, str]]:
    """Return (document, name) for each unknown name."""
    return [(name, found) for name, found in mentions(pattern) if found not in known]


def kebab(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "-" + letter.group().lower(), name)


def existing_attributes() -> set[str]:
    return {v for v in vars(attributes).values() if isinstance(v, str) and v.startswith("data-nl-")}


def test_everything_is_described() -> None:
    assert set(meanings.ATTRIBUTES) == existing_attributes()
    assert set(meanings.SETTINGS) == set(EVERY_SETTING)
    assert set(meanings.ADDONS) == set(ADDONS)
    assert set(meanings.CALLS) == existing_calls()
    assert set(meanings.EVENTS) == set(EVENTS)
    assert set(meanings.PAGE_NAMES) == set(PAGES)
    assert set(LISTENED) <= set(re.findall(r"`(\w+)`", meanings.CALLS["on"].meaning))


def test_everything_that_is_stored_is_documented() -> None:
    sources = "".join(
        path.read_text("utf-8") for path in PACKAGES["neuralens_tracker"].rglob("*.py")
    )
    keys = set(re.findall(r'^[A-Z]+_KEY = "([a-z]+:?)"$', sources, re.MULTILINE))
    assert {"uid", "e:"} <= keys
    assert keys == set(meanings.STORED)


@pytest.mark.parametrize("document", sorted(path.name for path in reference.DOCS.glob("*.md")))
def test_tables_are_up_to_date(document: str) -> None:
    text = DOCUMENTS[f"docs/{document}"]
    # The sizes are those of the last build; budgets have their own tests.
    measured = re.compile(r"^(\| `neuralens[^|]+\|) [\d.]+ \|", re.MULTILINE)
    assert measured.sub(r"\1", text) == measured.sub(r"\1", reference.fill(text)), "run `make docs`"


def test_every_table_is_on_a_page() -> None:
    used = {name for text in DOCUMENTS.values() for _, name, _, _ in reference.MARKED.findall(text)}
    assert used == set(reference.TABLES)


def test_no_unknown_attribute() -> None:
    assert unknown(r"data-nl-[a-z]+(?:-[a-z]+)*", existing_attributes()) == []


def test_the_mapping_of_ga4_is_that_of_the_bridge() -> None:
    bridge = ast.parse((PACKAGES["neuralens_tracker"] / "addons/ga4.py").read_text("utf-8"))
    mapping = next(
        {
            ast.literal_eval(key): ast.unparse(value)
            for key, value in zip(node.value.keys, node.value.values, strict=True)
        }
        for node in bridge.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Dict)
        and ast.unparse(node.targets[0]) == "MAPPING"
    )
    table, *_ = section(DOCUMENTS["docs/ga4.md"], "## Mapping").split("\n\n| field")
    assert dict(re.findall(r"^\| `([a-z_]+)` \| `([A-Z_]+)`", table, re.MULTILINE)) == mapping


def test_no_unknown_setting() -> None:
    # Further attributes of a heavy runtime's script tag.
    others = {"data-src", "data-integrity", "data-pyscript", "data-index"}
    settings = {f"data-{kebab(name)}" for name in EVERY_SETTING}
    assert unknown(r"\bdata-(?!nl-)[a-z0-9]+(?:-[a-z0-9]+)*", settings | others) == []


def existing_calls() -> set[str]:
    """Return the commands in the tracker's dispatch table."""
    tree = ast.parse((PACKAGES["neuralens_tracker"] / "commands.py").read_text("utf-8"))
    (calls,) = [
        {key.value for key in node.keys if isinstance(key, ast.Constant)}
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict) and len(node.keys) > 1
    ]
    return calls


def test_no_unknown_call() -> None:
    assert unknown(r"\bneuralens\([\"'](\w+)", existing_calls()) == []


def test_names_of_events() -> None:
    words = {*EVENTS, *PAGES}
    for word in (*words, *CONSENTS, *ACTIONS):
        assert any(word in text for name, text in PRESENT.items() if name.startswith("docs/")), word
    assert unknown(r"\b(?:(?:VIEW|CLICK|LAND|ADD)_[A-Z_]+|[A-Z_]+_PAGE)\b", words) == []


def test_names_in_jinja() -> None:
    assert unknown(r"\bnl\.(\w+)\(", {name for name in dir(Attributes) if name[0] != "_"}) == []


def test_the_page_of_commands_is_up_to_date() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.commands(), "run `make docs`"


def test_the_index_is_up_to_date() -> None:
    assert reference.INDEX.read_text("utf-8") == reference.index(), "run `make docs`"


def test_every_page_is_on_the_site() -> None:
    site = tomllib.loads(reference.SITE.read_text("utf-8"))["project"]
    pages = list(reference.in_order(site["nav"]))
    assert sorted(pages) == sorted(path.name for path in reference.DOCS.glob("*.md"))


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def existing_commands() -> dict[str, click.Command]:
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_no_unknown_command() -> None:
    assert unknown(r"\bneuralens-tracker (?!COMMAND\b)([a-z]\w*)", set(existing_commands())) == []


def test_every_command_is_shown() -> None:
    """On other pages than the generated one."""
    shown = "".join(text for name, text in PRESENT.items() if name != "docs/commands.md")
    for name in existing_commands():
        assert re.search(rf"neuralens-tracker {name}\b|`{name}\b", shown), name


def test_no_unknown_option() -> None:
    context = click.Context(main)
    wrong = []
    for document, text in PRESENT.items():
        for line in code(text):
            for name, command in existing_commands().items():
                call = re.search(rf"(?:^|\bneuralens-tracker ){name}( [^|;&]*)", line)
                known = {o for each in command.get_params(context) for o in each.opts}
                known |= {o for each in command.get_params(context) for o in each.secondary_opts}
                given = re.findall(r" (--[a-z0-9-]+)", call[1]) if call else []
                wrong += [(document, name, o) for o in given if o not in {*known, "--help"}]
    assert wrong == []


def test_environment_variables() -> None:
    known = {each.variable for each in describe()}
    for command in existing_commands().values():
        known |= {str(each.envvar) for each in command.params if each.envvar}
    flask = "".join(path.read_text("utf-8") for path in PACKAGES["neuralens_flask"].glob("*.py"))
    configuration = set(re.findall(r'"(NEURALENS_[A-Z_]+)"', flask))
    assert [key for key in configuration if key not in DOCUMENTS["docs/flask.md"]] == []
    # Those of the client for a shop's server.
    client = (PACKAGES["neuralens_relay"] / "client.py").read_text("utf-8")
    configuration |= set(re.findall(r'"(NEURALENS_[A-Z_]+)"', client))
    assert unknown(r"\bNEURALENS_[A-Z_]*[A-Z]\b", known | configuration | {RELAY_URL}) == []
    assert known == set(re.findall(r"\bNEURALENS_[A-Z_]+\b", DOCUMENTS["docs/commands.md"]))


def test_quoted_defaults_of_the_relay() -> None:
    defaults = {each.variable: each.default for each in describe()}
    quoted = mentions(r"`(NEURALENS_\w+)`(?:,| \()\s?([\d,]+)(?:\)| days by default)")
    assert len(quoted) > 3
    assert [
        (document, variable, number)
        for document, (variable, number) in quoted
        if float(number.replace(",", "")) != float(defaults[variable])
    ] == []


def test_states_of_forwarding() -> None:
    table = section(DOCUMENTS["docs/running.md"], "## Health and metrics")
    named = re.findall(r"`(\w+)`", first_column(table))
    assert named == ["forwarding", *(state.value for state in State)]


def test_consent_platforms() -> None:
    table = section(DOCUMENTS["docs/privacy.md"], "## Consent platforms")
    named = re.findall(r"^\|[^|]+\| `(\w+)` \|", table, re.MULTILINE)
    assert {f"consent-{name}" for name in named} == {a for a in ADDONS if a.startswith("consent-")}


def test_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    targets = set(phony.split())
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == targets
    named = [
        (name, target)
        for name, text in PRESENT.items()
        for line in code(text)
        for target in re.findall(r"\bmake ([a-z-]+)", line)
    ]
    assert [(name, target) for name, target in named if target not in targets] == []
    assert targets - {target for _, target in named} == set()


def modules(package: str) -> Iterator[str]:
    """Return the paths of a package's modules, without suffix."""
    root = PACKAGES[package]
    for path in root.rglob("*.py"):
        if path.stem not in ("__init__", "__main__"):
            yield path.relative_to(root).with_suffix("").as_posix()


def named_modules(heading: str) -> Iterator[str]:
    """Return the paths in a section; names after a path in a folder are in that folder, too."""
    text = section(ARCHITECTURE, heading)
    package = PACKAGES[heading.rpartition("/")[2]]
    # Without a table, the section is a list of names.
    cells = first_column(text).splitlines()[2:] or text.split("\n\n")
    for cell in cells:
        folder = ""
        for name in re.findall(r"`([\w./*]+)`", cell):
            if "/" in name.rstrip("/"):
                folder = name.rpartition("/")[0] + "/"
            found = [
                path.relative_to(package)
                for candidate in (name, folder + name)
                for suffix in ("", ".py")
                for path in package.glob(candidate.rstrip("/") + suffix)
            ]
            assert found, f"ARCHITECTURE.md, {heading}: there is no {name}"
            yield from (path.as_posix().removesuffix(".py") for path in found)


HEADINGS = re.findall(r"^### \w+/neuralens_\w+$", ARCHITECTURE, re.MULTILINE)


def test_every_package_has_its_section() -> None:
    assert {heading.rpartition("/")[2] for heading in HEADINGS} == set(PACKAGES)
    for heading in HEADINGS:
        assert (ROOT / heading.removeprefix("### ")).is_dir()


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_module_is_documented(heading: str) -> None:
    named = set(named_modules(heading))
    assert [
        module
        for module in modules(heading.rpartition("/")[2])
        if named.isdisjoint({module, *(parent.as_posix() for parent in Path(module).parents)})
    ] == []


def test_mentioned_files_exist() -> None:
    wrong = []
    for document, text in PRESENT.items():
        for name in re.findall(r"(?<![\w./*-])[\w.]+(?:/[\w.*-]+)*\.(?:py|pyi|toml)\b", text):
            # The guides also mention files of the reader's project.
            known = "/" not in name and document.startswith("docs/")
            known = known or any(f"/{path}".endswith(f"/{name}") for path in FILES)
            if not known and not any(ROOT.glob(name)):
                wrong.append((document, name))
    assert wrong == []


def test_mentioned_folders_exist() -> None:
    folders = r"`((?:tracker|build|relay|demo_site|deploy|tests|bench|docs)/[\w./-]*)"
    assert [(n, path) for n, path in mentions(folders) if not (ROOT / path).exists()] == []


def fixtures() -> set[str]:
    """Return the names of the pytest plugin's fixtures."""
    plugin = (PACKAGES["neuralens_testing"] / "plugin.py").read_text("utf-8")
    return set(re.findall(r"^def (neuralens_\w+)", plugin, re.MULTILINE))


def test_dotted_names_exist() -> None:
    wrong = []
    for document, text in PRESENT.items():
        for name in re.findall(r"\b(neuralens_\w+(?:\.\w+)+)", "\n".join(code(text))):
            package, *parts = name.split(".")
            if package in fixtures():
                continue
            path = PACKAGES[package]
            while parts and any(path.glob(f"{parts[0]}.py*")) | (path / parts[0]).is_dir():
                path = path / parts.pop(0)
            source = (path / "__init__.py") if path.is_dir() else path.with_suffix(".py")
            if parts and not re.search(rf"\b{parts[0]}\b", source.read_text("utf-8")):
                wrong.append((document, name))
    assert wrong == []


def test_names_of_packages_and_metrics() -> None:
    source = (PACKAGES["neuralens_relay"] / "metrics.py").read_text("utf-8")
    metrics = re.findall(r'"(neuralens_\w+)"', source)
    management = PACKAGES["neuralens_django"] / "management/commands"
    known = {*PACKAGES, *metrics, *(f"{name}_total" for name in metrics), "neuralens_snippet"}
    known |= {path.stem for path in management.glob("neuralens_*.py")} | fixtures()
    assert unknown(r"\bneuralens_\w+", known) == []


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links(document: str) -> None:
    text = re.sub(r"^(?: {4}|```).*$", "", DOCUMENTS[document], flags=re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text("utf-8")), target
