"""Time and memory of training: systems in turns, and the pipeline's own training."""

import json
from pathlib import Path

from ..files import read_json
from .records import EpochRow, TrainingTime
from .targets import GOAL
from .training_systems import SYSTEMS, TrainingSettings, count_words
from .worker import Worker, stopping, take_turns

WARM_UP = 50  # this fraction of an epoch is trained before timing


def measure_training(data: Path, encoder: str, rounds: int, gpu: int) -> list[EpochRow]:
    """Let our recipe and the plain loop train for an epoch in turns.

    data (Path): Folder of the converted corpus.
    encoder (str): The encoder to fine-tune, an argument for `resolve`.
    rounds (int): Number of turns that make up an epoch.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (list[EpochRow]): A row for each system.
    """
    words = count_words(data)
    workers: list[Worker[int]] = [
        Worker(name, load, TrainingSettings(str(data), encoder, half=half, gpu=gpu), gpu)
        for name, (load, half) in SYSTEMS.items()
    ]
    with stopping(workers):
        for worker in workers:
            worker.run(words // WARM_UP)
        timings = take_turns(workers, words // rounds, rounds, "training")
    speeds = {
        name: sum(one.done for one in runs) / sum(one.seconds for one in runs)
        for name, runs in timings.items()
    }
    return [
        {
            "system": name,
            "words_per_second": round(speed),
            "seconds_per_epoch": round(words / speed),
            "ratio_to_loop": round(speeds["loop"] / speed, 3),
            "peak_mb": timings[name][-1].peak_mb,
        }
        for name, speed in speeds.items()
    ]


def read_training_time(pipeline: Path) -> TrainingTime | None:
    """Read the time that the training of a pipeline took.

    pipeline (Path): The pipeline's folder, next to the log of the training.
    RETURNS (TrainingTime | None): The time; without a log, `seconds_to_goal` is None. None if
        meta.json has no record of the training.
    """
    training = read_json(pipeline / "meta.json").get("training")
    if not training:
        return None
    log = pipeline.parent / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    reached = (row["seconds"] for row in map(json.loads, lines) if row["dev"]["ents_f"] >= GOAL)
    return {
        "machine": training["machine"],
        "epochs": training["epochs"],
        "seconds": training["seconds"],
        "seconds_to_goal": next(reached, None),
    }
