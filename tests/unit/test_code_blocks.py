"""Every block of code in the documents is right in its language, as far as it can be by itself."""

import ast
import json
import re
import tomllib
from pathlib import Path

import jinja2
import pytest
from django.template import Engine
from neuralens_build import npm_tools
from neuralens_demo.contract import check_body
from neuralens_embed import audit
from neuralens_embed.jinja import install

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


def blocks() -> list[tuple[str, str, str]]:
    """Return (place, language, code) of each block."""
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text("utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            code = re.sub(rf"^{block[1]}", "", block[3], flags=re.MULTILINE)
            found.append((f"{path.name}:{line}", block[2], code))
    return found


def of(*languages: str):
    """Parametrize a test by the blocks of some languages."""
    chosen = [(place, code) for place, language, code in blocks() if language in languages]
    assert chosen, languages
    return pytest.mark.parametrize(("place", "code"), chosen, ids=[place for place, _ in chosen])


# What checks each language.
CHECKED = {"html", "json", "js", "jinja", "django", "python", "sh"}
# Files of deploy/, which run in tests of their own.
DEPLOYED = {"nginx", "caddy", "dockerfile", "yaml", "ini"}


def test_every_language_is_checked() -> None:
    for place, language, code in blocks():
        if language in DEPLOYED:
            (name,) = INCLUDED.findall(code)
            assert (ROOT / name).is_file(), place
        else:
            assert language in CHECKED, place


@of("html")
def test_html(place: str, code: str) -> None:
    """The audit has nothing against it, but for what is elsewhere on the page."""
    report = audit.audit(code)
    assert [each for each in report.problems if each.attribute.startswith("data-")] == []


@of("json")
def test_json(place: str, code: str) -> None:
    value = json.loads(code)
    if "event" in value:
        check_body(value)


@of("js")
def test_javascript(place: str, code: str) -> None:
    npm_tools.run_esbuild("--loader=js", "--format=esm", text=code)


@of("jinja")
def test_jinja(place: str, code: str) -> None:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    install(environment, app_id="APP")
    known = {
        "query": "oak",
        "offset": 24,
        "products": [{"id": "A", "sku": "A", "url": "/a", "name": "A"}],
    }
    rendered = environment.from_string(code).render(known)
    assert "data-" in rendered


@of("django")
def test_django(place: str, code: str) -> None:
    """Its tags are Django's and the library's, and each is closed."""
    libraries = {"neuralens": "neuralens_django.templatetags.neuralens"}
    Engine(libraries=libraries).from_string(code)


@of("python")
def test_python(place: str, code: str) -> None:
    """It compiles, and what it imports from this project is there."""
    for node in ast.walk(ast.parse(code)):
        imported = (isinstance(node, ast.ImportFrom) and node.module) or ""
        if imported.startswith("neuralens_") or isinstance(node, ast.Import):
            exec(ast.unparse(node), {})


@of("sh")
def test_shell(place: str, code: str) -> None:
    """Its commands are those that test_documents knows; a key is never written out."""
    for line in code.splitlines():
        assert re.match(r"(pip install|neuralens-tracker|export) ", line), line
    assert "KEY=..." in code or "KEY" not in code


def test_configuration_of_the_site() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    assert site["theme"]["font"] is False
