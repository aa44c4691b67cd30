"""A trained pipeline and its evaluation, made once."""

import shutil
from pathlib import Path

import pytest

from bert_ner.evaluation.evaluate import evaluate
from bert_ner.files import write_json
from tests.evaluation.helpers import LOG, Evaluated, Run, write_corpus
from tests.pipes.training import Build, train


@pytest.fixture(scope="session")
def trained(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained pipeline and a corpus. A test does not change them."""
    folder = tmp_path_factory.mktemp("trained")
    nlp = build()
    train(nlp, steps=20)
    nlp.meta["training"] = {"encoder": "tiny", "recipe": "<b>", "seed": 1}
    (folder / "training").mkdir()
    nlp.to_disk(folder / "training" / "pipeline")
    (folder / "training" / "log.jsonl").write_text(LOG)
    write_json(folder / "training" / "train.json", {"steps_per_epoch": 9})
    return Run(folder / "training" / "pipeline", write_corpus(nlp, folder / "corpus"))


@pytest.fixture
def run(trained: Run, tmp_path: Path) -> Run:
    """A copy of the pipeline and the corpus, which a test may change."""
    shutil.copytree(trained.pipeline.parent, tmp_path / "training")
    shutil.copytree(trained.corpus, tmp_path / "corpus")
    return Run(tmp_path / "training" / "pipeline", tmp_path / "corpus")


@pytest.fixture(scope="session")
def evaluated(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """The evaluation of the trained pipeline, with a page."""
    folder = tmp_path_factory.mktemp("evaluated")
    output, page = folder / "metrics.json", folder / "report.html"
    return Evaluated(evaluate(*trained, output, page), output, page)
