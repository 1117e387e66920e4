"""Every code block in the documents is valid in its language."""

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
    """Return (location, language, code) of each block."""
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text("utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            code = re.sub(rf"^{block[1]}", "", block[3], flags=re.MULTILINE)
            found.append((f"{path.name}:{line}", block[2], code))
    return found


def of(*languages: str):
    """Parametrize a test by the blocks in some languages."""
    chosen = [(location, code) for location, language, code in blocks() if language in languages]
    assert chosen, languages
    return pytest.mark.parametrize(("location", "code"), chosen, ids=[each for each, _ in chosen])


# The tests of each language.
CHECKED = {"html", "json", "js", "jinja", "django", "python", "sh"}
# Files of deploy/, which have their own tests.
DEPLOYED = {"nginx", "caddy", "dockerfile", "yaml", "ini"}


def test_every_language_is_checked() -> None:
    for location, language, code in blocks():
        if language in DEPLOYED:
            (name,) = INCLUDED.findall(code)
            assert (ROOT / name).is_file(), location
        else:
            assert language in CHECKED, location


@of("html")
def test_html(location: str, code: str) -> None:
    """The audit finds no problems, except for what is elsewhere on the page."""
    report = audit.audit(code)
    assert [each for each in report.problems if each.attribute.startswith("data-")] == []


@of("json")
def test_json(location: str, code: str) -> None:
    value = json.loads(code)
    if "event" in value:
        check_body(value)


@of("js")
def test_javascript(location: str, code: str) -> None:
    npm_tools.run_esbuild("--loader=js", "--format=esm", text=code)


@of("jinja")
def test_jinja(location: str, code: str) -> None:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    install(environment, app_id="APP")
    product = {"id": "A", "sku": "A", "url": "/a", "name": "A"}
    known = {
        "query": "oak",
        "offset": 24,
        "products": [product],
        "product": product,
        "order": {"number": "O-1", "lines": [{"product_id": "A", "name": "A"}]},
    }
    rendered = environment.from_string(code).render(known)
    assert "data-" in rendered


@of("django")
def test_django(location: str, code: str) -> None:
    """It has only tags of Django and the library, and each is closed."""
    libraries = {"neuralens": "neuralens_django.templatetags.neuralens"}
    Engine(libraries=libraries).from_string(code)


@of("python")
def test_python(location: str, code: str) -> None:
    """It compiles, and its imports from this project exist."""
    for node in ast.walk(ast.parse(code)):
        imported = (isinstance(node, ast.ImportFrom) and node.module) or ""
        if imported.startswith("neuralens_") or isinstance(node, ast.Import):
            exec(ast.unparse(node), {})


@of("sh")
def test_shell(location: str, code: str) -> None:
    """Its commands are known to test_documents, and it contains no keys."""
    for line in code.splitlines():
        assert re.match(r"(pip install|neuralens-tracker|export) ", line), line
    assert "KEY" not in code.replace("KEY=...", "")


def test_configuration_of_the_site() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    assert site["theme"]["font"] is False
