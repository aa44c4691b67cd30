"""Train a recipe on a converted corpus, through `spacy train`."""

import math
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from catalogue import RegistryError
from spacy import util
from spacy.cli.train import train as spacy_train
from spacy.util import registry
from thinc.api import Config, ConfigValidationError

from ..corpora.registry import get_corpus
from ..corpora.sources import Source, load_source
from ..corpora.spec import Corpus
from ..devices import choose_gpu, computes_bfloat16, describe_machine, peak_memory_mb
from ..errors import InputError, first_line
from ..files import read_json, remove, replacing, sha256, write_json
from ..loading import load_pipeline
from .encoders import Encoder, resolve

EPOCHS, LEAST_STEPS = 5, 300  # what `auto` trains: 5 epochs, and more of a small corpus
EVALUATIONS = 20  # at most, of a small corpus; else one after each epoch
WARMUP = 0.1  # of the steps
PATIENCE = 2  # epochs without a better score on dev, but a third of the run at least


def train_recipe(
    *,
    config: Path,
    corpus: Corpus,
    data: Path,
    output: Path,
    encoder: Encoder,
    epochs: int | None,
    seed: int,
    gpu: int = -1,
) -> dict[str, Any]:
    """Train and write model-best, log.jsonl and train.json. All appear or nothing does.

    config (Path): The recipe.
    corpus (Corpus): The corpus.
    data (Path): The folder with its train.spacy, dev.spacy and source.json.
    output (Path): The folder to write.
    encoder (Encoder): The encoder to fine-tune.
    epochs (int | None): How often to read the train split. If not given, as
        often as the recipe's `max_epochs` says, and if that is 0, five times, or
        as often as 300 steps take.
    seed (int): The seed of every random choice.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): The contents of train.json.
    RAISES (InputError): If the corpus is not converted or the recipe is not there.
    """
    for path in (config, data / "train.spacy", data / "dev.spacy", data / "source.json"):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    source = load_source(data / "source.json")
    paths = {"paths.train": str(data / "train.spacy"), "paths.dev": str(data / "dev.spacy")}
    recipe = load_recipe(config, paths)
    plan = plan_steps(recipe, epochs)
    overrides = {
        **paths,
        "system.seed": seed,
        **fit_encoder(recipe, encoder),
        **plan.overrides,
        **fit_machine(recipe, gpu),
    }
    print(f"{plan.epochs} epochs of {plan.steps_per_epoch} steps, seed {seed}")
    started = time.perf_counter()
    with replacing(output) as partial:
        overrides["training.logger.output_file"] = str(partial / "log.jsonl")
        if sys.stderr.isatty():
            overrides["training.logger.progress_bar"] = "eval"
        spacy_train(config, partial, use_gpu=gpu, overrides=overrides)
        remove(partial / "model-last")
        record = {
            "recipe": config.stem,
            "corpus": corpus.name,
            "encoder": encoder.name,
            "encoder_sha256": sha256(encoder.path / "model.safetensors"),
            "epochs": plan.epochs,
            "steps_per_epoch": plan.steps_per_epoch,
            "seed": seed,
            "half_precision": bool(overrides.get("components.transformer.model.mixed_precision")),
            "seconds": round(time.perf_counter() - started),
            "peak_memory_mb": peak_memory_mb(gpu),
            "machine": describe_machine(gpu),
            "date": date.today().isoformat(),
        }
        write_json(partial / "train.json", record)
        _describe(partial / "model-best", corpus, source, encoder, record)
        _remove_local_paths(partial / "model-best", config, encoder)
    return record


def load_recipe(config: Path, paths: dict[str, str]) -> Config:
    """Load a recipe, and explain what is wrong with it.

    config (Path): The recipe.
    paths (dict[str, str]): paths.train and paths.dev.
    RETURNS (Config): The interpolated recipe.
    RAISES (InputError): If it cannot be read.
    """
    try:
        return util.load_config(config, overrides=paths).interpolate()
    except (ValueError, KeyError, OSError) as error:
        raise InputError(f"{config}: cannot be used: {first_line(error)}") from error


def fit_encoder(recipe: Config, encoder: Encoder) -> dict[str, Any]:
    """What a recipe's settings become with an encoder.

    A recipe's learning rate suits a base-size encoder; a small one gets a higher
    one. An encoder that has no segment table goes without case segments.

    recipe (Config): The interpolated recipe.
    encoder (Encoder): The encoder.
    RETURNS (dict[str, Any]): Overrides.
    """
    model = recipe["components"]["transformer"]["model"]
    fitted = {
        "components.transformer.model.name": str(encoder.path),
        "training.optimizer.learn_rate.initial_rate": encoder.learn_rate(
            recipe["training"]["optimizer"]["learn_rate"]["initial_rate"]
        ),
    }
    if model.get("case_segments") and not encoder.has_segments():
        print(f"{encoder.name} has no segment table: it goes without case segments")
        fitted["components.transformer.model.case_segments"] = False
    return fitted


def fit_machine(recipe: Config, gpu: int) -> dict[str, Any]:
    """What a recipe's settings become on a machine.

    It trains in half precision on a GPU, and in bfloat16 on a processor that has
    instructions for it, unless the encoder is stock spaCy's, which cannot.

    recipe (Config): The interpolated recipe.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): Overrides.
    """
    half = {"components.transformer.model.mixed_precision": True}
    if gpu >= 0:
        return {"system.gpu_allocator": "pytorch", **half}
    ours = recipe["components"]["transformer"]["model"]["@architectures"].startswith("bert_ner.")
    return half if ours and computes_bfloat16() else {}


@dataclass(frozen=True)
class Plan:
    """How long a training takes."""

    epochs: int
    steps_per_epoch: int
    overrides: dict[str, Any]


def plan_steps(recipe: Config, epochs: int | None) -> Plan:
    """Plan a run of whole epochs whose learning rate ends at zero, evaluated after epochs.

    recipe (Config): The interpolated recipe, with the paths of the corpus.
    epochs (int | None): See `train_recipe`.
    RETURNS (Plan): The plan.
    RAISES (InputError): If the train split cannot be read or is empty.
    """
    train = recipe["paths"]["train"]
    try:
        batches = count_batches(recipe)
    except (ValueError, KeyError, OSError, RegistryError, ConfigValidationError) as error:
        raise InputError(f"{train}: the recipe cannot read it: {first_line(error)}") from error
    if not batches:
        raise InputError(f"{train}: holds no documents. Convert the corpus again.")
    if epochs is None:
        enough = max(EPOCHS, math.ceil(LEAST_STEPS / batches))
        epochs = int(recipe["training"]["max_epochs"]) or enough
    return Plan(epochs, batches, _schedule(batches, epochs))


def count_batches(config: Config) -> int:
    """How many steps an epoch of a recipe has, by reading the train split once.

    It is read in its stored order. spaCy shuffles it in every epoch, and then
    the number may differ by a few in a hundred.

    config (Config): The interpolated recipe, with the paths of the corpus.
    RETURNS (int): The number of batches.
    """
    util.fix_random_seed(config["training"]["seed"])
    nlp = spacy.blank(config["nlp"]["lang"])
    corpora = registry.resolve(config["corpora"])
    reader = corpora[config["training"]["train_corpus"].split(".")[-1]]
    batcher = registry.resolve({"batcher": config["training"]["batcher"]})["batcher"]
    return sum(1 for _ in batcher(reader(nlp)))


def _schedule(steps_per_epoch: int, epochs: int) -> dict[str, Any]:
    steps = steps_per_epoch * epochs
    return {
        "training.max_steps": steps,
        "training.max_epochs": 0,
        "training.eval_frequency": steps_per_epoch * math.ceil(epochs / EVALUATIONS),
        "training.patience": max(PATIENCE * steps_per_epoch, steps // 3),
        "training.optimizer.learn_rate.total_steps": steps,
        "training.optimizer.learn_rate.warmup_steps": int(WARMUP * steps),
    }


def _describe(
    model: Path, corpus: Corpus, source: Source, encoder: Encoder, record: dict[str, Any]
) -> None:
    """Write into meta.json what the pipeline is and what it was made from."""
    meta = read_json(model / "meta.json")
    meta |= {
        "name": corpus.pipeline,
        "description": f"{corpus.description} Trained on: {source.title}.",
        "author": "the en_bert_ner project",
        "license": "MIT; encoder and corpus as under sources",
        "sources": [
            {"name": source.title, "url": source.url, "license": source.licence},
            {"name": encoder.name, "url": encoder.url, "license": encoder.licence},
        ],
        "corpus": {
            "kind": source.kind,
            "where": source.where,
            "files": source.files,
            "paper": corpus.paper,
            "labels": dict(corpus.labels),
            "example": corpus.example,
        },
        "training": record,
    }
    write_json(model / "meta.json", meta)


def _remove_local_paths(model: Path, recipe: Path, encoder: Encoder) -> None:
    """Write the encoder's name for its folder, and the recipe's own paths for those here."""
    given = Config().from_disk(recipe, interpolate=False)
    config = Config().from_disk(model / "config.cfg", interpolate=False)
    config["components"]["transformer"]["model"]["name"] = encoder.name
    config["paths"] = given["paths"]
    config["training"]["logger"] = given["training"]["logger"]
    with replacing(model / "config.cfg") as partial:
        config.to_disk(partial)
    transformer = load_pipeline(model).get_pipe("transformer")
    for node in transformer.model.walk():
        if node.attrs.get("name") == str(encoder.path):
            node.attrs["name"] = encoder.name
        for shim in node.shims:
            shim._hfmodel.transformer.config._name_or_path = encoder.name
    transformer.to_disk(model / "transformer")


EncoderOption = Annotated[
    str, typer.Option(help='"auto", "pip", a local folder, or a name on the Hub.')
]
EpochsOption = Annotated[
    str, typer.Option(help='How often to read the train split; "auto" is 5, more if it is small.')
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]


def main(
    corpus: Annotated[str, typer.Argument(help="The corpus.")],
    config: Annotated[Path, typer.Option(help="The recipe.")] = Path("configs/config.cfg"),
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[
        Path | None, typer.Option(help="Folder to write, by default training/RECIPE/CORPUS.")
    ] = None,
    encoder: EncoderOption = "auto",
    epochs: EpochsOption = "auto",
    seed: SeedOption = 1,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Train a recipe on a corpus."""
    gpu = choose_gpu(gpu_id)
    chosen = resolve(encoder, gpu=gpu >= 0)
    print(chosen.line())
    train_recipe(
        config=config,
        corpus=get_corpus(corpus),
        data=data / corpus,
        output=output or Path("training") / config.stem / corpus,
        encoder=chosen,
        epochs=parse_epochs(epochs),
        seed=seed,
        gpu=gpu,
    )


def parse_epochs(wanted: str) -> int | None:
    """What --epochs says: a number, or None for "auto"."""
    if wanted == "auto":
        return None
    if not wanted.isdecimal() or int(wanted) < 1:
        raise InputError(f'--epochs {wanted}: expected "auto" or a whole number, 1 or more.')
    return int(wanted)
