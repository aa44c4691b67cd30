"""The commands in the README's section "Use it" work as they are written."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from tests.conftest import ROOT
from tests.pipes.training import Build, train

USE = re.search(r"^## Use it$(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w+)\n(.*?)```", USE[1] if USE else "", re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines()]
PACKAGE = """
from spacy.util import load_model_from_init_py

def load(**overrides):
    return load_model_from_init_py(__file__, **overrides)
"""


@pytest.fixture
def installed(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where `en_bert_ner` is installed as pip does it."""
    nlp = build()
    train(nlp, steps=20)
    nlp.meta |= {"name": "bert_ner", "version": "0.1.0"}
    package = tmp_path / "site" / "en_bert_ner"
    package.mkdir(parents=True)
    nlp.to_disk(package / "en_bert_ner-0.1.0")
    (package / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (package / "meta.json").write_text(json.dumps(nlp.meta, default=str), encoding="utf-8")
    info = tmp_path / "site" / "en_bert_ner-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: en_bert_ner\nVersion: 0.1.0\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{ROOT}")
    (tmp_path / "work" / "texts").mkdir(parents=True)
    return tmp_path / "work"


def run(command: str, folder: Path) -> str:
    _, *arguments = shlex.split(command)  # python
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.encode()) <= 9000
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert max(row.count("|") for row in rows) <= 8  # 7 columns
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_each_part_takes_five_lines_at_most() -> None:
    assert len(BLOCKS) > 6
    assert all(len(block.splitlines()) <= 5 for _, block in BLOCKS)


def test_the_lines_of_python(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed.parent / "site"))
    space: dict[str, object] = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, {"spacy": spacy} | space, space)
    nlp = space["nlp"]
    assert isinstance(nlp, spacy.language.Language)
    assert nlp.get_pipe("ner").min_confidence == 0.9


@pytest.mark.slow
def test_the_lines_that_annotate(installed: Path) -> None:
    text, folder, cluster = (c for c in COMMANDS if "scripts.annotate" in c)
    assert run(text, installed).startswith(("entity ", "no entities"))
    (installed / "texts" / "a.txt").write_text("Anna Berg lives in Oslo .", encoding="utf-8")
    (installed / "texts" / "b.jsonl").write_text('{"text": "rain"}\n' * 600, encoding="utf-8")
    assert run(folder, installed) == "annotated.jsonl: 601 records annotated\n"
    assert len((installed / "annotated.jsonl").read_text(encoding="utf-8").splitlines()) == 601
    # tests/scripts/test_annotate.py runs Ray with these options
    options = "texts.parquet --engine ray --workers 2 --output annotated/"
    assert cluster == f"python -m scripts.annotate {options}"


def test_all_other_lines_are_tested_elsewhere() -> None:
    # servers in serving/ and demo/, spaCy's own commands in test_workflow.py
    known = ("pip install ", "spacy ", "curl ", "python -m scripts.app", "python -m scripts.serve")
    assert all(line.startswith((*known, "python -m scripts.annotate")) for line in COMMANDS)
