"""A converted corpus, an encoder, and a training on them, made once."""

from pathlib import Path

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.training.encoders import Encoder
from tests.conftest import write_assets


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a converted CoNLL-2003 of a few documents: one batch per epoch."""
    folder = tmp_path_factory.mktemp("data")
    write_assets(folder / "assets")
    convert_corpus(CORPORA["conll2003"], folder / "assets", folder / "conll2003")
    return folder / "conll2003"


@pytest.fixture(scope="session")
def tiny(encoder: Path) -> Encoder:
    return Encoder(name="tiny", path=encoder, reason="a test")
