"""The documentation site: no broken links, and no external resources."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    shutil.copy(ROOT / "zensical.toml", folder)
    for name in ("docs", "deploy"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    done = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_no_external_resources(site: Path) -> None:
    for path in site.glob("*.html"):
        loading = re.findall(
            r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="?((?:https?:)?//[^" >]+)',
            path.read_text("utf-8"),
        )
        assert loading == [], path.name


def test_included_files_exist(site: Path) -> None:
    assert "proxy_pass" in (site / "proxies.html").read_text("utf-8")
    assert "--8&lt;--" not in "".join(path.read_text("utf-8") for path in site.glob("*.html"))


def test_numbered_lists_are_not_interrupted(site: Path) -> None:
    """Blocks between two steps need an indent of four spaces."""
    for path in (ROOT / "docs").glob("*.md"):
        lists = len(re.findall(r"^1\. ", path.read_text("utf-8"), re.MULTILINE))
        shown = (site / f"{path.stem}.html").read_text("utf-8").count("<ol")
        assert shown == lists, path.name
