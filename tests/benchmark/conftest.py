"""Converted corpora, pipelines on the tiny encoder, workers without processes, and a service."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from spacy.language import Language

from bert_ner.benchmark import epochs, inference, rate
from bert_ner.benchmark.systems import InferenceSettings
from bert_ner.benchmark.worker import Timing
from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.packaging.quantize import quantize_pipeline
from tests.conftest import write_assets
from tests.pipes.training import Build, train
from tests.serving.helpers import Finder, Serve, make_pipeline, services

Settings = TypeVar("Settings")
Input = TypeVar("Input")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two small converted corpora."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_assets(folder / "assets")
    for name in ("conll2003", "mit_movie"):
        convert_corpus(CORPORA[name], folder / "assets", folder / "corpus" / name)
    return folder / "corpus"


@pytest.fixture(scope="session")
def settings(
    build: Build, corpus: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> InferenceSettings:
    """A pipeline on the tiny encoder, and its int8 variant."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("pipelines")
    nlp = build()
    train(nlp, steps=10)
    nlp.to_disk(folder / "pipeline")
    split = corpus / "conll2003" / "test.spacy"
    quantize_pipeline(folder / "pipeline", split, folder / "int8")
    return InferenceSettings(str(folder / "pipeline"), str(folder / "int8"), str(encoder))


class InlineWorker(Generic[Input]):
    """A `Worker` without a process. Each run takes 10 ms per unit of work, and 10 ms more."""

    def __init__(
        self,
        name: str,
        load: Callable[[Settings], Callable[[Input], int]],
        settings: Settings,
        gpu: int = -1,
    ) -> None:
        self.name = name
        self._task = load(settings)

    def run(self, task_input: Input) -> Timing:
        done = self._task(task_input)
        return Timing((1 + done) / 100, done, 10)

    def stop(self) -> None:
        pass


@pytest.fixture
def inline_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the systems of the benchmark in this process."""
    for module in (epochs, inference, rate):
        monkeypatch.setattr(module, "Worker", InlineWorker)


@pytest.fixture
def nlp() -> Language:
    """A pipeline whose one component is a `Finder`."""
    return make_pipeline()


@pytest.fixture
def finder(nlp: Language) -> Finder:
    component: Finder = nlp.get_pipe("finder")
    return component


@pytest.fixture
def serve(nlp: Language) -> Iterator[Serve]:
    """Run the service with some limits changed; returns a client for it."""
    with services(nlp) as start:
        yield start
