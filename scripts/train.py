"""Train a recipe on a converted corpus, through `spacy train`."""

import math
import sys
import time
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

from scripts import cli
from scripts.corpora.registry import Name, get_corpus
from scripts.corpora.spec import Corpus
from scripts.encoder import Encoder, resolve
from scripts.errors import InputError, first_line
from scripts.files import read_json, remove, replacing, write_json
from scripts.gpu import choose_gpu
from scripts.machine import describe_machine, peak_memory_mb
from scripts.sources import Source, load_source

EPOCHS, LEAST_STEPS = 4, 300  # what `auto` trains: 4 epochs, and more of a small corpus
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
    epochs (int | None): How often to read the train split. If not given, four
        times, or as often as 300 steps take.
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
    steps_per_epoch = _count_batches(config, paths)
    if epochs is None:
        epochs = max(EPOCHS, math.ceil(LEAST_STEPS / steps_per_epoch))
    overrides = {
        **paths,
        "system.seed": seed,
        "components.transformer.model.name": str(encoder.path),
        "training.optimizer.learn_rate.initial_rate": encoder.initial_rate(),
        **_schedule(steps_per_epoch, epochs),
    }
    if gpu >= 0:
        overrides["system.gpu_allocator"] = "pytorch"
        overrides["components.transformer.model.mixed_precision"] = True
    print(f"{epochs} epochs of {steps_per_epoch} steps, seed {seed}")
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
            "epochs": epochs,
            "steps_per_epoch": steps_per_epoch,
            "seed": seed,
            "seconds": round(time.perf_counter() - started),
            "peak_memory_mb": peak_memory_mb(),
            "machine": describe_machine(gpu),
            "date": date.today().isoformat(),
        }
        write_json(partial / "train.json", record)
        _describe(partial / "model-best", corpus, source, encoder, record)
        _remove_local_paths(partial / "model-best", config, encoder)
    return record


def _count_batches(config: Path, paths: dict[str, str]) -> int:
    """Count, and explain what is wrong with a recipe or a converted corpus."""
    try:
        batches = count_batches(util.load_config(config, overrides=paths))
    except (ValueError, KeyError, OSError, RegistryError, ConfigValidationError) as error:
        raise InputError(f"{config}: cannot be used: {first_line(error)}") from error
    if not batches:
        raise InputError(f"{paths['paths.train']}: holds no documents. Convert the corpus again.")
    return batches


def count_batches(config: Config) -> int:
    """How many steps an epoch of a recipe has, by reading the train split once.

    It is read in its stored order. spaCy shuffles it in every epoch, and then
    the number may differ by a few in a hundred.

    config (Config): The recipe, with the paths of the corpus.
    RETURNS (int): The number of batches.
    """
    interpolated = config.interpolate()
    util.fix_random_seed(interpolated["training"]["seed"])
    nlp = spacy.blank(interpolated["nlp"]["lang"])
    corpora = registry.resolve(interpolated["corpora"])
    reader = corpora[interpolated["training"]["train_corpus"].split(".")[-1]]
    batcher = registry.resolve({"batcher": interpolated["training"]["batcher"]})["batcher"]
    return sum(1 for _ in batcher(reader(nlp)))


def _schedule(steps_per_epoch: int, epochs: int) -> dict[str, Any]:
    """A run of whole epochs whose learning rate ends at zero, evaluated after epochs."""
    steps = steps_per_epoch * epochs
    return {
        "training.max_steps": steps,
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
        "corpus": {"kind": source.kind, "where": source.where, "files": source.files},
        "training": record,
    }
    write_json(model / "meta.json", meta)


def _remove_local_paths(model: Path, recipe: Path, encoder: Encoder) -> None:
    """Write the encoder's name for its folder, and the recipe's own paths, into config.cfg."""
    given = Config().from_disk(recipe, interpolate=False)
    config = Config().from_disk(model / "config.cfg", interpolate=False)
    config["components"]["transformer"]["model"]["name"] = encoder.name
    config["paths"] = given["paths"]
    config["training"]["logger"] = given["training"]["logger"]
    with replacing(model / "config.cfg") as partial:
        config.to_disk(partial)


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    config: Annotated[Path, typer.Option(help="The recipe.")] = Path("configs/config.cfg"),
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="Folder of trained pipelines.")] = Path("training"),
    encoder: Annotated[
        str, typer.Option(help='"auto", "pip", a local folder, or a name on the Hub.')
    ] = "auto",
    epochs: Annotated[
        str, typer.Option(help='How often to read the train split; "auto" is 4, more if small.')
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 1,
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
        output=output / config.stem / corpus,
        encoder=chosen,
        epochs=_epochs(epochs),
        seed=seed,
        gpu=gpu,
    )


def _epochs(wanted: str) -> int | None:
    if wanted == "auto":
        return None
    if not wanted.isdecimal() or int(wanted) < 1:
        raise InputError(f'--epochs {wanted}: expected "auto" or a whole number, 1 or more.')
    return int(wanted)


if __name__ == "__main__":
    cli.run(main)
