"""Train and score one pipeline of an ablation, in a process of its own.

The process is new for each run, so that its peak memory is the run's.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import spacy
from spacy.cli.train import train as spacy_train
from spacy.tokens import DocBin

from scripts import cli
from scripts.encoder import resolve
from scripts.evaluate import score
from scripts.gpu import choose_gpu
from scripts.machine import describe_machine, peak_memory_mb
from scripts.pipeline import load_pipeline
from scripts.train import fit_encoder, load_recipe, plan_steps


def take_every(path: Path, step: int, output: Path) -> tuple[int, int]:
    """Write each n-th document of a split.

    path (Path): The .spacy file.
    step (int): n; 1 takes all.
    output (Path): The .spacy file to write.
    RETURNS (tuple[int, int]): How many documents and sentences were taken.
    """
    vocab = spacy.blank("en").vocab
    docs = list(DocBin().from_disk(path).get_docs(vocab))[::step]
    DocBin(attrs=["TAG", "SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(output)
    return len(docs), sum(len(list(doc.sents)) for doc in docs)


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
    budget (dict[str, Any]): `every`, by split, and `epochs`.
    seed (int): The seed of every random choice.
    encoder (str): See `scripts.encoder.resolve`.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): Sizes, scores, trained parameters, processor and wall
        seconds an epoch, and peak memory.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = {
            split: take_every(data / f"{split}.spacy", step, folder / f"{split}.spacy")
            for split, step in budget["every"].items()
        }
        # spaCy wants a dev corpus; scores are taken after training
        paths = {"paths.train": f"{folder}/train.spacy", "paths.dev": f"{folder}/dev.spacy"}
        recipe = load_recipe(config, paths)
        plan = plan_steps(recipe, budget["epochs"])
        chosen = resolve(encoder, gpu=gpu >= 0)
        fitted = fit_encoder(recipe, chosen)
        fitted["training.optimizer.learn_rate.initial_rate"] *= rate
        steps = plan.overrides["training.max_steps"]
        once = {"training.eval_frequency": steps, "corpora.dev.limit": 1, "training.patience": 0}
        on_gpu = {"system.gpu_allocator": "pytorch"} if gpu >= 0 else {}
        started, used = time.perf_counter(), _processor_seconds()
        spacy_train(
            config,
            folder / "out",
            use_gpu=gpu,
            overrides=paths
            | plan.overrides
            | fitted
            | once
            | on_gpu
            | {"system.seed": seed}
            | overrides,
        )
        wall, processor = time.perf_counter() - started, _processor_seconds() - used
        nlp = load_pipeline(folder / "out" / "model-last")
        return {
            "documents": {split: documents for split, (documents, _) in taken.items()},
            "sentences": {split: sentences for split, (_, sentences) in taken.items()},
            "encoder": chosen.name,
            "epochs": budget["epochs"],
            "steps": steps,
            "scores": {s: score(nlp, folder / f"{s}.spacy") for s in ("dev", "test")},
            "trained_parameters": _trained_parameters(nlp),
            "processor_seconds_per_epoch": round(processor / budget["epochs"], 2),
            "wall_seconds_per_epoch": round(wall / budget["epochs"], 2),
            "peak_memory_mb": peak_memory_mb(),
            "machine": describe_machine(gpu),
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
    gpu = choose_gpu(given.pop("gpu_id"))
    config, data = (Path(given.pop(key)) for key in ("config", "data"))
    print(json.dumps(run(config=config, data=data, gpu=gpu, **given)))


if __name__ == "__main__":
    cli.run(main)
