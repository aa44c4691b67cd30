"""Pipelines, inputs and an installed project for the tests of annotation."""

from pathlib import Path

import pytest

from bert_ner.annotation.journal import BATCH_RECORDS
from bert_ner.annotation.options import WorkerOptions
from tests.annotation.helpers import write_records
from tests.pipes.training import Build, encoder_key, train


@pytest.fixture
def options(ruler: Path) -> WorkerOptions:
    return WorkerOptions(str(ruler))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four batches of records, two of them broken."""
    write_records(tmp_path / "in.jsonl", 3 * BATCH_RECORDS + 10, broken=(5, 2 * BATCH_RECORDS))
    return tmp_path / "in.jsonl"


@pytest.fixture(scope="session")
def trained(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained pipeline with small windows, which overlap."""
    nlp = build(**{encoder_key("get_spans__max_pieces"): 12, encoder_key("get_spans__context"): 3})
    train(nlp)
    folder = tmp_path_factory.mktemp("trained") / "pipeline"
    nlp.to_disk(folder)
    return folder
