"""Wheels of any age load in one process, in any order, with and without the repository."""

import importlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bert_ner.packaging.build import _add_code
from bert_ner.packaging.check import _link_dependencies
from bert_ner.pipes.ner import TokenClassifierNER
from tests.pipes.training import TEXTS, Build, train

OLD_WHEEL = Path(__file__).parents[1] / "data/en_old_ner-0.1.0-py3-none-any.whl"
REPOSITORY = Path(__file__).parents[2] / "bert_ner"
# What the old tree found with this wheel in `TEXTS`: see tests/data/README.md.
OLD_ENTITIES = [
    ["Anna Berg", "PER", 0.9999955],
    ["Oslo", "LOC", 0.9998881],
    ["EU", "ORG", 0.9990645],
    ["Lima", "LOC", 0.9996167],
]

# What `spacy package` writes into a package.
INIT = """
from spacy.util import load_model_from_init_py

def load(**overrides):
    return load_model_from_init_py(__file__, **overrides)
"""
# Runs each program in a fork of one process that has imported the slow libraries.
RUNNER = """
import json, os, sys
paths, programs = json.loads(sys.stdin.read())
sys.path[:0] = paths
import spacy, torch
from transformers import AutoModel, AutoTokenizer, BertModel, BertTokenizerFast
torch.set_num_threads(1)
assert not any(name.split(".")[0] in ("bert_ner", "spacy_transformers") for name in sys.modules)
for program in programs:
    sys.stdout.flush()
    if not (child := os.fork()):
        names = {}
        exec(program, names)
        print(json.dumps(names["result"]), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("failed: " + program)
"""
LOAD = """
import importlib, sys
result = {{}}
for name in {names}:
    nlp = importlib.import_module(name).load()
    docs = nlp.pipe({texts!r})
    result[name] = [(e.text, e.label_, e._.confidence) for doc in docs for e in doc.ents]
from spacy.util import registry
result["serves"] = registry.get("architectures", "bert_ner.TokenClassifier.v1").__module__
result["repository"] = [name for name in sys.modules if name.split(".")[0] == "bert_ner"]
"""
IMPORT = """
import importlib, sys
for name in {names}:
    importlib.import_module(name).register()
from spacy.language import Language
from spacy.util import registry
result = {{
    "serves": registry.get("architectures", "bert_ner.TokenClassifier.v1").__module__,
    "weights": Language.get_factory_meta("token_classifier_ner").default_score_weights,
    "factory": [name for name in sys.modules if name.endswith(".factory")],
}}
"""
BLANK = """
import spacy, sys
from spacy.language import Language
spacy.blank("en")
result = Language.get_factory_meta("token_classifier_ner").default_score_weights
"""
SCORE_WEIGHTS = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}

Results = dict[str, Any]  # of programs by name

COPIES = "copied.register", "bert_ner.pipes.register"
ORDERS = ("old first", "new first")
PROGRAMS = {
    "old first": LOAD.format(names=("en_old_ner", "en_new_ner"), texts=TEXTS),
    "new first": LOAD.format(names=("en_new_ner", "en_old_ner"), texts=TEXTS),
    "copy first": IMPORT.format(names=COPIES),
    "copy last": IMPORT.format(names=COPIES[::-1]),
}


@pytest.fixture(scope="session")
def packages(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an old wheel, a new one, and a bare copy of the pipes, all unpacked."""
    folder = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(OLD_WHEEL) as wheel:
        wheel.extractall(folder)
    nlp = build()
    train(nlp)
    nlp.meta.update(name="new_ner", version="0.1.0")
    package = folder / "en_new_ner"
    package.mkdir()
    nlp.to_disk(package / "en_new_ner-0.1.0")
    shutil.copy(package / "en_new_ner-0.1.0/meta.json", package)
    (package / "__init__.py").write_text(INIT)
    _add_code(package)
    (folder / "copied").mkdir()
    (folder / "copied/__init__.py").write_text("")
    _add_code(folder / "copied")
    return folder


@pytest.fixture(scope="session")
def with_repository(packages: Path) -> Results:
    """The results of programs that see the entry points of the repository."""
    return run([sys.executable], [packages], {**PROGRAMS, "blank": BLANK}, packages)


@pytest.fixture(scope="session")
def alone(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of programs that see the repository's files, and not its entry points."""
    folder = tmp_path_factory.mktemp("alone")
    _link_dependencies(folder / "dependencies")
    (folder / "repository").mkdir()
    (folder / "repository/bert_ner").symlink_to(REPOSITORY)
    paths = [packages, folder / "dependencies", folder / "repository"]
    return run([sys.executable, "-I", "-S"], paths, PROGRAMS, packages)


def run(command: list[str], paths: list[Path], programs: dict[str, str], folder: Path) -> Results:
    result = subprocess.run(
        [*command, "-c", RUNNER],
        input=json.dumps([[str(path) for path in paths], list(programs.values())]),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    return dict(zip(programs, map(json.loads, lines), strict=True))


def check_old(entities: Sequence[tuple[str, str, float]]) -> None:
    assert len(entities) == len(OLD_ENTITIES)
    for entity, (text, label, confidence) in zip(entities, OLD_ENTITIES, strict=True):
        assert tuple(entity) == (text, label, pytest.approx(confidence, abs=1e-5))


def check_entities(result: Results) -> None:
    check_old(result["en_old_ner"])
    new = [tuple(entity[:2]) for entity in result["en_new_ner"]]
    assert new == [(text, label) for text, label, _ in OLD_ENTITIES]


def test_an_old_wheel_finds_with_this_code_what_it_found_with_its_own(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(packages))
    nlp = importlib.import_module("en_old_ner").load()
    assert type(nlp.get_pipe("ner")) is TokenClassifierNER
    check_old([(e.text, e.label_, e._.confidence) for doc in nlp.pipe(TEXTS) for e in doc.ents])


@pytest.mark.slow
def test_old_and_new_wheels_load_together_without_the_repository(alone: Results) -> None:
    for order in ORDERS:
        check_entities(alone[order])
        assert not alone[order]["repository"]
    assert alone["old first"]["serves"] == "en_old_ner.token_classifier"
    assert alone["new first"]["serves"] == "en_new_ner.head"


@pytest.mark.slow
def test_old_and_new_wheels_load_together_with_the_repository(with_repository: Results) -> None:
    for order in ORDERS:
        check_entities(with_repository[order])
        assert with_repository[order]["serves"] == "bert_ner.pipes.head"


@pytest.mark.slow
def test_the_first_copy_of_the_pipes_serves(alone: Results) -> None:
    for order, package in (("copy first", "copied"), ("copy last", "bert_ner.pipes")):
        assert alone[order]["serves"] == f"{package}.head"
        assert alone[order]["weights"] == SCORE_WEIGHTS
        assert sorted(alone[order]["factory"]) == ["bert_ner.pipes.factory", "copied.factory"]


@pytest.mark.slow
def test_the_repositorys_entry_points_serve_with_any_copy(with_repository: Results) -> None:
    for order in ("copy first", "copy last"):
        assert with_repository[order]["serves"] == "bert_ner.pipes.head"
        assert with_repository[order]["weights"] == SCORE_WEIGHTS


@pytest.mark.slow
def test_a_process_that_imports_spacy_alone_has_the_factory_with_its_weights(
    with_repository: Results,
) -> None:
    """`spacy train` and `spacy evaluate` need no --code."""
    assert with_repository["blank"] == SCORE_WEIGHTS
