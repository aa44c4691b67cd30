"""A non-editable installation, as in the Docker image, has commands, templates and data."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

FILES = ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", "bert_ner", "scripts")
DATA = {".bio", ".css", ".html", ".md", ".toml", ".txt"}


def tracked(suffixes: set[str]) -> list[str]:
    """The tracked files of the library and the commands with one of the suffixes."""
    command = ["git", "ls-files", "bert_ner", "scripts"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    exist = [name for name in names.splitlines() if (ROOT / name).exists()]
    return [name for name in exist if Path(name).suffix in suffixes]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the installed packages. They were built in a copy of the Dockerfile's files."""
    folder = tmp_path_factory.mktemp("installation")
    source = folder / "source"
    source.mkdir()
    for name in FILES:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, source / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target)]
    subprocess.run([*command, str(source)], check=True, cwd=folder)
    return target


def run(installed: Path, *arguments: str) -> str:
    """Run Python outside the repository with the installed packages."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_has_all_modules_and_data(installed: Path) -> None:
    names = tracked({".py"} | DATA)
    assert [name for name in names if not (installed / name).exists()] == []
    code = "import bert_ner, scripts; print(bert_ner.__file__); print(scripts.__file__)"
    expected = [installed / "bert_ner" / "__init__.py", installed / "scripts" / "__init__.py"]
    assert run(installed, "-c", code).splitlines() == list(map(str, expected))


def test_no_other_kind_of_data_is_left_out() -> None:
    names = subprocess.run(
        ["git", "ls-files", "bert_ner"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {Path(name).suffix for name in names} <= {".py"} | DATA


def test_the_service_starts(installed: Path, ruler: Path) -> None:
    assert "--max-batch" in run(installed, "-m", "scripts.serve", "--help")
    code = (
        "import spacy; from bert_ner.serving.app import make_app;"
        f"app = make_app(spacy.load({str(ruler)!r})); print(app.title)"
    )
    assert run(installed, "-W", "ignore", "-c", code) == "en_bert_ner\n"
