"""Learning curve of a pipeline, from the log of its training."""

import json
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .records import LearningStep


def read_learning(pipeline: Path) -> list[LearningStep]:
    """Read the learning curve of a pipeline from log.jsonl and train.json next to its folder.

    pipeline (Path): The folder of the pipeline.
    RETURNS (list[LearningStep]): The evaluations. Empty if one of the files does not exist.
    RAISES (InputError): If one of the files is not valid.
    """
    log, record = (pipeline.parent / name for name in ("log.jsonl", "train.json"))
    if not (log.exists() and record.exists()):
        return []
    training = read_json(record)
    steps = training.get("steps_per_epoch") if isinstance(training, dict) else None
    if not isinstance(steps, int) or steps < 1:
        raise InputError(f"{record}: steps_per_epoch must be a whole number. Train again.")
    return read_log(log, steps)


def read_log(path: Path, steps_per_epoch: int) -> list[LearningStep]:
    """Read the log of a training.

    path (Path): The log.jsonl that `bert_ner.logger.v1` wrote.
    steps_per_epoch (int): Number of steps per epoch, from train.json.
    RETURNS (list[LearningStep]): The evaluations. An epoch is a fraction if the evaluation
        was inside it. Losses are in nats per token.
    RAISES (InputError): If a line does not have the logger's format.
    """
    steps = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            steps.append(_step(json.loads(line), steps_per_epoch))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}:{number}: not a line of bert_ner.logger.v1 ({error}). Train again."
            ) from error
    return steps


def _step(line: Any, steps_per_epoch: int) -> LearningStep:
    dev = line["dev"]
    # the transition parser has a training loss, but not one per token
    has_loss = dev.get("ents_loss") is not None
    return {
        "epoch": round(line["step"] / steps_per_epoch, 2),
        "step": line["step"],
        "training_loss": _number(line["train_loss"].get("ner")) if has_loss else None,
        "dev_loss": _number(dev.get("ents_loss")),
        "precision": _number(dev.get("ents_p")),
        "recall": _number(dev.get("ents_r")),
        "f1": _number(dev.get("ents_f")),
        "accuracy": _number(dev.get("ents_acc")),
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
