"""The project as pip installs it, for tests of commands outside the clone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project as pip installs it from a wheel."""
    folder = tmp_path_factory.mktemp("installed")
    build = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    clone = folder / "clone"
    names = ("bert_ner", "scripts", "pyproject.toml", "README.md", "LICENSE")
    for path in (path for name in names for path in [ROOT / name, *(ROOT / name).rglob("*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = clone / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=clone, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"
