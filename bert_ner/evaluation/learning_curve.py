"""How a pipeline learned, from the log of its training."""

import json
from pathlib import Path
from typing import Any

from ..errors import InputError

NAMES = {"precision": "ents_p", "recall": "ents_r", "f1": "ents_f", "accuracy": "ents_acc"}


def read_log(path: Path, steps_per_epoch: int) -> list[dict[str, Any]]:
    """Read the log of a training.

    path (Path): The log.jsonl that `bert_ner.logger.v1` wrote.
    steps_per_epoch (int): From train.json.
    RETURNS (list[dict[str, Any]]): For each evaluation epochs (a fraction, where it
        was inside of one), step, training loss and dev loss in nats a token,
        precision, recall, f1 and accuracy from 0 to 1. What the component does
        not give is None.
    RAISES (InputError): If a line is not of such a log.
    """
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            rows.append(_row(json.loads(line), steps_per_epoch))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}:{number}: not a line of bert_ner.logger.v1 ({error}). Train again."
            ) from error
    return rows


def _row(line: dict[str, Any], steps_per_epoch: int) -> dict[str, Any]:
    dev = line["dev"]
    has_loss = dev.get("ents_loss") is not None  # the transition parser's is no loss of a token
    return {
        "epoch": round(line["step"] / steps_per_epoch, 2),
        "step": line["step"],
        "training_loss": _number(line["train_loss"].get("ner")) if has_loss else None,
        "dev_loss": _number(dev.get("ents_loss")),
        **{name: _number(dev.get(key)) for name, key in NAMES.items()},
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
