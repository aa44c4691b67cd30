"""What a benchmark is measured by."""

from typing import Any

ON_CPU = (  # system, what it is compared with, and the least ratio, on documents
    ("ours", "loop", 0.9),
    ("ours", "stock", 1.65),
    ("ours", "hf-pipeline-32", 2.6),
    ("ours-int8", "loop", 1.6),
)
ON_GPU = (("ours", "stock", 10.0),)
GOAL = 0.91  # F1 on dev that a training is to reach soon
INT8_COST = 0.3  # points of F1
SLOWEST_EPOCH = 1.15  # ours, as a multiple of the plain loop's, on a CPU
SLOWEST_TRAINING = 180  # seconds, on a GPU
MEMORY_GROWTH = 1.1  # while a stream is read, after its first tenth


def judge(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what was measured with the bars of the device.

    record (dict[str, Any]): The contents of the JSON file.
    RETURNS (list[dict[str, Any]]): For each bar: what, found, bar, and met.
    """
    speed = {
        r["system"]: r["words_per_second"] for r in record["rows"] if r["texts"] == "documents"
    }
    bars = []
    for system, other, least in ON_GPU if record["gpu"] else ON_CPU:
        what = f"{system} / {other}, words a second, documents"
        bars.append(_at_least(what, speed[system] / speed[other], least))
    bars += _judge_gpu(record) if record["gpu"] else _judge_cpu(record)
    if start := first_tenth(record["stream"]):
        for key, where in (("resident_mb", "memory"), ("gpu_mb", "memory of the GPU")):
            if key not in start:
                continue
            growth = max(row[key] for row in record["stream"]) / start[key]
            what = f"{where} over a stream, largest / after its first tenth"
            bars.append(_at_most(what, growth, MEMORY_GROWTH))
    return bars


def _judge_cpu(record: dict[str, Any]) -> list[dict[str, Any]]:
    f1 = record["int8"]["f1"]
    (epoch,) = (r["ratio_to_loop"] for r in record["training"] if r["system"] == "ours")
    return [
        _at_most("points of F1 that int8 costs", 100 * (f1["before"] - f1["after"]), INT8_COST),
        _at_most("an epoch of training, ours / loop", epoch, SLOWEST_EPOCH),
    ]


def _judge_gpu(record: dict[str, Any]) -> list[dict[str, Any]]:
    trained, card = record["trained"] or {}, record["machine"].rpartition(", ")[2]
    here = trained if trained.get("machine", "").endswith(card) else {}
    goal = f"seconds until an F1 of {100 * GOAL:.0f} on dev, trained on this GPU"
    return [
        _at_most("seconds of the training on this GPU", here.get("seconds"), SLOWEST_TRAINING),
        _at_most(goal, here.get("seconds_to_goal"), SLOWEST_TRAINING),
    ]


def first_tenth(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row that stands at the end of a stream's first tenth; None without a stream."""
    return next((row for row in rows if row["words"] * 10 >= rows[-1]["words"]), None)


def _at_least(what: str, found: float, bar: float) -> dict[str, Any]:
    return {"what": what, "found": round(found, 3), "bar": bar, "met": found >= bar}


def _at_most(what: str, found: float | None, bar: float) -> dict[str, Any]:
    """A bar that is missed also where nothing was found."""
    if found is None:
        return {"what": what, "found": None, "bar": bar, "met": False}
    return {"what": what, "found": round(found, 3), "bar": bar, "met": found <= bar}
