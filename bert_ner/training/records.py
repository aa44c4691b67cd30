"""Types of trainings: overrides of a config, and the record in `train.json` and meta.json."""

from typing import TypedDict

from pydantic import JsonValue

Overrides = dict[str, JsonValue]  # values by the dotted keys of a config


class TrainingRecord(TypedDict):
    """Facts about one training."""

    recipe: str  # stem of the config's file name, or name of a paper's recipe
    corpus: str
    encoder: str
    encoder_sha256: str  # of its model.safetensors
    epochs: int
    steps_per_epoch: int
    seed: int
    half_precision: bool
    seconds: int
    peak_memory_mb: int  # in MiB
    machine: str
    date: str  # ISO 8601, such as "2026-11-26"
