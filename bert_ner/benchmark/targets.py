"""Targets: figures that a measurement must reach."""

from collections.abc import Iterable, Sequence

from .records import SpeedRecord, StreamRow, Target

ON_CPU = (  # system, the system to compare it with, and the minimum ratio, on documents
    ("ours", "loop", 0.9),
    ("ours", "stock", 1.65),
    ("ours", "hf-pipeline-32", 2.6),
    ("ours-int8", "loop", 1.6),
)
ON_GPU = (("ours", "stock", 10.0),)
GOAL = 0.91  # F1 on dev that a training must reach in time
INT8_COST = 0.3  # points of F1
SLOWEST_EPOCH = 1.15  # ours, as a multiple of the plain loop's, on a CPU
SLOWEST_TRAINING = 180  # seconds, on a GPU
MEMORY_GROWTH = 1.1  # while a stream is read, after its first tenth


def judge(record: SpeedRecord) -> list[Target]:
    """Compare the measurements with the targets for the device.

    record (SpeedRecord): The measurements. `bars` is not read.
    RETURNS (list[Target]): The targets.
    """
    speed = {
        row["system"]: row["words_per_second"]
        for row in record["rows"]
        if row["texts"] == "documents"
    }
    targets = []
    for system, other, minimum in ON_GPU if record["gpu"] else ON_CPU:
        what = f"{system} / {other}, words a second, documents"
        targets.append(at_least(what, speed[system] / speed[other], minimum))
    targets += _judge_gpu(record) if record["gpu"] else _judge_cpu(record)
    if start := first_tenth(record["stream"]):
        growth = max(row["resident_mb"] for row in record["stream"]) / start["resident_mb"]
        what = "memory over a stream, largest / after its first tenth"
        targets.append(at_most(what, growth, MEMORY_GROWTH))
        if "gpu_mb" in start:
            growth = max(row["gpu_mb"] for row in record["stream"]) / start["gpu_mb"]
            what = "memory of the GPU over a stream, largest / after its first tenth"
            targets.append(at_most(what, growth, MEMORY_GROWTH))
    return targets


def _judge_cpu(record: SpeedRecord) -> list[Target]:
    loss = None
    if record["int8"]:
        f1 = record["int8"]["f1"]
        loss = 100 * (f1["before"] - f1["after"])
    (epoch,) = (row["ratio_to_loop"] for row in record["training"] if row["system"] == "ours")
    return [
        at_most("points of F1 that int8 costs", loss, INT8_COST),
        at_most("an epoch of training, ours / loop", epoch, SLOWEST_EPOCH),
    ]


def _judge_gpu(record: SpeedRecord) -> list[Target]:
    trained, card = record["trained"], record["machine"].rpartition(", ")[2]
    here = trained if trained and trained["machine"].endswith(card) else None
    goal = f"seconds until an F1 of {100 * GOAL:.0f} on dev, trained on this GPU"
    total = "seconds of the training on this GPU"
    return [
        at_most(total, here["seconds"] if here else None, SLOWEST_TRAINING),
        at_most(goal, here["seconds_to_goal"] if here else None, SLOWEST_TRAINING),
    ]


def first_tenth(rows: Sequence[StreamRow]) -> StreamRow | None:
    """Find the row at the end of a stream's first tenth; None without a stream."""
    return next((row for row in rows if row["words"] * 10 >= rows[-1]["words"]), None)


def at_least(what: str, found: float, minimum: float, *, digits: int = 3) -> Target:
    """Create a target that a figure reaches from above.

    what (str): Description of the figure.
    found (float): The measured figure, stored with `digits` digits.
    minimum (float): The lowest figure that reaches the target.
    RETURNS (Target): The target.
    """
    return {"what": what, "found": round(found, digits), "bar": minimum, "met": found >= minimum}


def at_most(what: str, found: float | None, maximum: float, *, digits: int = 3) -> Target:
    """Create a target that a figure reaches from below. It is missed without a figure.

    what (str): Description of the figure.
    found (float | None): The measured figure, stored with `digits` digits.
    maximum (float): The highest figure that reaches the target.
    RETURNS (Target): The target.
    """
    if found is None:
        return {"what": what, "found": None, "bar": maximum, "met": False}
    return {"what": what, "found": round(found, digits), "bar": maximum, "met": found <= maximum}


def explain_missed(targets: Iterable[Target]) -> str:
    """List the missed targets in one line, empty if all are met."""
    missed = [target for target in targets if not target["met"]]
    return "; ".join(f"{one['what']}: {one['found']}, target {one['bar']}" for one in missed)
