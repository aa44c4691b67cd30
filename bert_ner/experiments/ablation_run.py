"""Train and score one pipeline of an ablation, in a process of its own.

The process is new for each run, so that its peak memory is the run's.
"""

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import spacy
from spacy.cli.train import train as spacy_train
from spacy.tokens import Doc, DocBin

from .. import cli
from ..corpora.docs import STORED
from ..devices import peak_memory_mb
from ..evaluation.scoring import score
from ..loading import load_pipeline
from ..training.encoders import resolve
from ..training.trainer import fit_encoder, fit_machine, load_recipe, plan_steps


def read_splits(data: Path, budget: dict[str, Any]) -> dict[str, list[Doc]]:
    """Read the documents that a budget takes of each split.

    data (Path): The folder of the converted corpus.
    budget (dict[str, Any]): `every`, by split: n takes each n-th document. If it
        has `labels`, all other entities become tokens outside. If it has
        `random_test`, all documents are shuffled, that share of them is test, and
        the rest is train and dev: what a paper does that knows no groups.
    RETURNS (dict[str, list[Doc]]): The documents of train, dev and test.
    """
    vocab = spacy.blank("en").vocab
    splits = {
        split: list(DocBin().from_disk(data / f"{split}.spacy").get_docs(vocab))
        for split in ("train", "dev", "test")
    }
    if "random_test" in budget:
        docs = [doc for split in splits.values() for doc in split]
        random.Random(1).shuffle(docs)
        test = round(len(docs) * budget["random_test"])
        rest = docs[test:]
        train = [doc for i, doc in enumerate(rest) if i % 10]
        splits = {"train": train, "dev": rest[::10], "test": docs[:test]}
    for docs in splits.values():
        for doc in docs if "labels" in budget else ():
            doc.ents = [ent for ent in doc.ents if ent.label_ in budget["labels"]]
    return {split: docs[:: budget["every"][split]] for split, docs in splits.items()}


def run(
    *,
    config: Path,
    overrides: dict[str, Any],
    rate: float,
    data: Path,
    budget: dict[str, Any],
    seed: int,
    encoder: str,
    gpu: int = -1,
) -> dict[str, Any]:
    """Train on a share of train, and score the last pipeline on a share of dev and test.

    config (Path): The recipe.
    overrides (dict[str, Any]): What the switch changes in it.
    rate (float): What the learning rate is multiplied with.
    data (Path): The folder of the converted corpus.
    budget (dict[str, Any]): `epochs`, and what `read_splits` takes.
    seed (int): The seed of every random choice.
    encoder (str): See `bert_ner.training.encoders.resolve`.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): Sizes, scores, trained parameters, processor and wall
        seconds an epoch, and peak memory.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = read_splits(data, budget)
        for split, docs in taken.items():
            DocBin(attrs=STORED, docs=docs).to_disk(folder / f"{split}.spacy")
        # spaCy wants a dev corpus; scores are taken after training
        paths = {"paths.train": f"{folder}/train.spacy", "paths.dev": f"{folder}/dev.spacy"}
        recipe = load_recipe(config, paths)
        plan = plan_steps(recipe, budget["epochs"])
        chosen = resolve(encoder, gpu=gpu >= 0)
        fitted = fit_encoder(recipe, chosen)
        fitted["training.optimizer.learn_rate.initial_rate"] *= rate
        steps = plan.overrides["training.max_steps"]
        once = {"training.eval_frequency": steps, "corpora.dev.limit": 1, "training.patience": 0}
        started, used = time.perf_counter(), _processor_seconds()
        spacy_train(
            config,
            folder / "out",
            use_gpu=gpu,
            overrides=paths
            | plan.overrides
            | fitted
            | once
            | fit_machine(recipe, gpu)
            | {"system.seed": seed}
            | overrides,
        )
        wall, processor = time.perf_counter() - started, _processor_seconds() - used
        memory = peak_memory_mb(gpu)  # of training, and not of the scoring below
        nlp = load_pipeline(folder / "out" / "model-last")
        return {
            "documents": {split: len(docs) for split, docs in taken.items()},
            "sentences": {
                split: sum(len(list(doc.sents)) for doc in docs) for split, docs in taken.items()
            },
            "mentions": {split: sum(len(d.ents) for d in docs) for split, docs in taken.items()},
            "epochs": budget["epochs"],
            "steps": steps,
            "scores": {s: score(nlp, folder / f"{s}.spacy") for s in ("dev", "test")},
            "trained_parameters": _trained_parameters(nlp),
            "processor_seconds_per_epoch": round(processor / budget["epochs"], 2),
            "wall_seconds_per_epoch": round(wall / budget["epochs"], 2),
            "peak_memory_mb": memory,
        }


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _trained_parameters(nlp: spacy.Language) -> int:
    """Parameters that training changes: those of thinc, and PyTorch's that are not frozen."""
    nodes = [node for _, pipe in nlp.components for node in pipe.model.walk()]
    own: list[Any] = [node.get_param(name) for node in nodes for name in node.param_names]
    torchs: list[Any] = [
        p for node in nodes for shim in node.shims for p in shim._model.parameters()
    ]
    sizes: list[int] = [p.size for p in own] + [p.numel() for p in torchs if p.requires_grad]
    return sum(sizes)


def main() -> None:
    """Read the run's arguments as JSON from standard input, and print its results so."""
    given = json.load(sys.stdin)
    config, data = (Path(given.pop(key)) for key in ("config", "data"))
    print(json.dumps(run(config=config, data=data, **given)))


if __name__ == "__main__":
    cli.run(main)
