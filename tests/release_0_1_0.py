"""Version 0.1.0 as it was released.

The archive holds its relay, the modules that this imports, and ``neuralens.js`` as it was built. It
runs with the libraries of today.
"""

import zipfile
from pathlib import Path

import pytest

ARCHIVE = Path(__file__).with_suffix(".zip")


@pytest.fixture(scope="session")
def release_0_1_0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release's folder; on PYTHONPATH, its packages replace this version's."""
    folder = tmp_path_factory.mktemp("release")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder
