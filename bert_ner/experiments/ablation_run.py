"""Train and score one pipeline of an ablation, in a process that measures only this run.

The process is new for each run, so its peak memory is the run's. It reads the run's
arguments as JSON from standard input, and writes the result as JSON to standard output.
"""

import json
import random
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import spacy
from spacy.cli.train import train as spacy_train
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..corpora.docs import STORED
from ..devices import peak_memory_mb
from ..errors import InputError
from ..evaluation.scoring import score
from ..loading import load_pipeline
from ..training.encoders import resolve
from ..training.recipe import fit_encoder, fit_machine, read_recipe
from ..training.records import Overrides
from ..training.schedule import plan_steps
from .records import BudgetSettings, RunRequest, RunResult

SHUFFLE_SEED = 1  # the same random test split for every run


@dataclass(frozen=True)
class Training:
    """A training, with its seconds per epoch, of the processor and by the clock, and peak MiB."""

    nlp: Language
    steps: int
    processor_seconds_per_epoch: float
    wall_seconds_per_epoch: float
    peak_memory_mb: int


def read_splits(data: Path, budget: BudgetSettings) -> dict[str, list[Doc]]:
    """Read the documents of each split that a budget selects.

    data (Path): Folder of the converted corpus.
    budget (BudgetSettings): The budget. With `random_test`, the rest of the shuffled
        documents is train and, a tenth of it, dev.
    RETURNS (dict[str, list[Doc]]): The documents of train, dev and test.
    """
    vocab = spacy.blank("en").vocab
    splits = {
        split: list(DocBin().from_disk(data / f"{split}.spacy").get_docs(vocab))
        for split in ("train", "dev", "test")
    }
    if "random_test" in budget:
        splits = _split_at_random(splits, budget["random_test"])
    if "labels" in budget:
        for doc in (doc for docs in splits.values() for doc in docs):
            doc.ents = [ent for ent in doc.ents if ent.label_ in budget["labels"]]
    return {split: docs[:: budget["every"][split]] for split, docs in splits.items()}


def _split_at_random(splits: dict[str, list[Doc]], test_share: float) -> dict[str, list[Doc]]:
    """Shuffle all documents and split them again, as papers do that ignore documents' groups."""
    docs = [doc for split in splits.values() for doc in split]
    random.Random(SHUFFLE_SEED).shuffle(docs)
    size = round(len(docs) * test_share)
    rest = docs[size:]
    train = [doc for i, doc in enumerate(rest) if i % 10]
    return {"train": train, "dev": rest[::10], "test": docs[:size]}


def run(request: RunRequest) -> RunResult:
    """Train on a share of train, and score the last pipeline on a share of dev and test.

    request (RunRequest): Arguments of the run.
    RETURNS (RunResult): Sizes, scores and costs.
    RAISES (InputError): If the recipe or the corpus cannot be read.
    """
    budget = request["budget"]
    splits = read_splits(Path(request["data"]), budget)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for split, docs in splits.items():
            DocBin(attrs=STORED, docs=docs).to_disk(folder / f"{split}.spacy")
        training = train(request, folder)
        scores = {
            split: score(training.nlp, folder / f"{split}.spacy") for split in ("dev", "test")
        }
    return {
        "documents": {split: len(docs) for split, docs in splits.items()},
        "sentences": {split: sum(map(_count_sentences, docs)) for split, docs in splits.items()},
        "mentions": {split: sum(len(doc.ents) for doc in docs) for split, docs in splits.items()},
        "epochs": budget["epochs"],
        "steps": training.steps,
        "scores": scores,
        "trained_parameters": _trained_parameters(training.nlp),
        "processor_seconds_per_epoch": training.processor_seconds_per_epoch,
        "wall_seconds_per_epoch": training.wall_seconds_per_epoch,
        "peak_memory_mb": training.peak_memory_mb,
    }


def train(request: RunRequest, folder: Path) -> Training:
    """Train a pipeline without scoring it on dev.

    request (RunRequest): Arguments of the run.
    folder (Path): Folder with train.spacy and dev.spacy. The pipeline is written to it.
    RETURNS (Training): The last pipeline, and the costs of its training.
    """
    config, gpu, epochs = Path(request["config"]), request["gpu"], request["budget"]["epochs"]
    overrides = plan_overrides(request, folder)
    started, used = time.perf_counter(), _processor_seconds()
    spacy_train(config, folder / "out", use_gpu=gpu, overrides=overrides)
    wall, processor = time.perf_counter() - started, _processor_seconds() - used
    memory = peak_memory_mb(gpu)  # before the pipeline is scored
    return Training(
        nlp=load_pipeline(folder / "out" / "model-last"),
        steps=cast(int, overrides["training.max_steps"]),
        processor_seconds_per_epoch=round(processor / epochs, 2),
        wall_seconds_per_epoch=round(wall / epochs, 2),
        peak_memory_mb=memory,
    )


def plan_overrides(request: RunRequest, folder: Path) -> Overrides:
    """Plan the overrides of a run's config.

    request (RunRequest): Arguments of the run.
    folder (Path): Folder with train.spacy and dev.spacy.
    RETURNS (Overrides): Paths, schedule and encoder, and the switch's overrides.
    """
    gpu, rate = request["gpu"], "training.optimizer.learn_rate.initial_rate"
    paths: Overrides = {
        "paths.train": str(folder / "train.spacy"),
        "paths.dev": str(folder / "dev.spacy"),
    }
    recipe = read_recipe(Path(request["config"])).interpolate(paths)
    schedule = plan_steps(recipe, request["budget"]["epochs"]).overrides
    encoder = fit_encoder(recipe, resolve(request["encoder"], gpu=gpu >= 0))
    return {
        **paths,
        **schedule,
        **encoder,
        **fit_machine(recipe, gpu),
        rate: cast(float, encoder[rate]) * request["rate"],
        # spaCy evaluates on dev at least once: one document is enough, scores are taken later
        "training.eval_frequency": schedule["training.max_steps"],
        "training.patience": 0,
        "corpora.dev.limit": 1,
        "system.seed": request["seed"],
        **request["overrides"],
    }


def _count_sentences(doc: Doc) -> int:
    return len(list(doc.sents))


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _trained_parameters(nlp: Language) -> int:
    """Count the parameters that training changes: thinc's, and PyTorch's unless frozen."""
    nodes = [node for _, pipe in nlp.components for node in pipe.model.walk()]
    own: list[Any] = [node.get_param(name) for node in nodes for name in node.param_names]
    pytorch: list[Any] = [
        p for node in nodes for shim in node.shims for p in shim._model.parameters()
    ]
    sizes: list[int] = [p.size for p in own] + [p.numel() for p in pytorch if p.requires_grad]
    return sum(sizes)


def main() -> int:
    """Make the run that standard input describes, and write its result."""
    try:
        sys.stdout.write(json.dumps(run(json.load(sys.stdin))) + "\n")
    except (InputError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
