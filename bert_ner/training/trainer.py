"""Trains a recipe on a converted corpus, through `spacy train`."""

import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from spacy.cli.train import train as spacy_train

from ..devices import describe_machine, peak_memory_mb
from ..files import remove, replacing, sha256, write_json
from .description import describe_model
from .plan import TrainingPlan
from .records import Overrides, TrainingRecord


def train_recipe(plan: TrainingPlan, output: Path) -> TrainingRecord:
    """Train and write model-best, log.jsonl and train.json: all of them, or nothing on failure.

    plan (TrainingPlan): The plan of the training.
    output (Path): Output folder. It is replaced if it exists.
    RETURNS (TrainingRecord): The contents of train.json.
    """
    started = time.perf_counter()
    with replacing(output) as partial:
        logger: Overrides = {"training.logger.output_file": str(partial / "log.jsonl")}
        if sys.stderr.isatty():
            logger["training.logger.progress_bar"] = "eval"
        with TemporaryDirectory() as folder:
            config = Path(folder) / "config.cfg"
            plan.config().to_disk(config, interpolate=False)
            spacy_train(config, partial, use_gpu=plan.gpu, overrides=logger)
        remove(partial / "model-last")
        record = _record(plan, seconds=round(time.perf_counter() - started))
        write_json(partial / "train.json", record)
        describe_model(partial / "model-best", plan, record)
    return record


def _record(plan: TrainingPlan, seconds: int) -> TrainingRecord:
    return TrainingRecord(
        recipe=plan.recipe.name,
        corpus=plan.corpus.name,
        encoder=plan.encoder.name,
        encoder_sha256=sha256(plan.encoder.path / "model.safetensors"),
        epochs=plan.schedule.epochs,
        steps_per_epoch=plan.schedule.steps_per_epoch,
        seed=plan.seed,
        half_precision=plan.half_precision,
        seconds=seconds,
        peak_memory_mb=peak_memory_mb(plan.gpu),
        machine=describe_machine(plan.gpu),
        date=date.today().isoformat(),
    )
