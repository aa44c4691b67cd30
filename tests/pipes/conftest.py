"""Pipelines that are trained once a session. Each test loads its own copy."""

from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from tests.pipes.training import Build, train


@pytest.fixture(scope="session")
def trained_folder(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = build()
    train(nlp)
    folder = tmp_path_factory.mktemp("trained") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def trained(trained_folder: Path) -> Language:
    return spacy.load(trained_folder)


@pytest.fixture(scope="session")
def tagged_folder(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a tagger, and embeddings of its tags."""
    nlp = build("pos")
    train(nlp, annotates=("transformer", "tagger"))
    folder = tmp_path_factory.mktemp("tagged") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def tagged(tagged_folder: Path) -> Language:
    return spacy.load(tagged_folder)
