"""A converted corpus and a trained pipeline, made once per session."""

from pathlib import Path

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.experiments.ablation_plan import Plan, read_plan
from tests.conftest import write_assets
from tests.experiments.helpers import PLAN
from tests.pipes.training import Build, train


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the converted CoNLL-2003. Tests do not change it."""
    folder = tmp_path_factory.mktemp("experiments")
    write_assets(folder / "assets")
    convert_corpus(CORPORA["conll2003"], folder / "assets", folder / "corpus" / "conll2003")
    return folder / "corpus" / "conll2003"


@pytest.fixture(scope="session")
def trained(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has learned `tests.pipes.training.SENTENCES`."""
    nlp = build()
    train(nlp, steps=40)
    folder = tmp_path_factory.mktemp("trained") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan with the unchanged recipe and two switches."""
    (tmp_path / "plan.toml").write_text(PLAN)
    return read_plan(tmp_path / "plan.toml")
