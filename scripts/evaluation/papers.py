"""What the papers reported, beside what was measured here."""

import tomllib
from pathlib import Path
from typing import Any

NAMES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "accuracy": "accuracy of tokens",
    "loss": "loss of a token",
    "weighted_token_f1": "F1 of tokens, weighted",
}


def compare(corpus: str, splits: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """Put ours beside theirs, figure by figure.

    corpus (str): The corpus.
    splits (dict[str, Any]): What `split.describe_split` gives, by split.
    path (Path): configs/papers.toml.
    RETURNS (list[dict[str, Any]]): Paper, what it says of its figures, split, metric,
        theirs and ours. Ours is None where it was not measured.
    """
    papers = tomllib.loads(path.read_text(encoding="utf-8"))["papers"]
    return [
        {
            "paper": paper["name"],
            "about": paper["about"],
            "split": paper["split"],
            "metric": NAMES.get(metric) or f"F1 of {metric.removeprefix('f1_')}",
            "theirs": theirs,
            "ours": ours(metric, splits[paper["split"]]),
        }
        for paper in papers
        if paper["corpus"] == corpus
        for metric, theirs in paper["figures"].items()
    ]


def ours(metric: str, split: dict[str, Any]) -> float | None:
    """One of our figures, in the papers' units: points, but the loss in nats."""
    if metric == "loss":
        return split.get("loss")
    if metric == "accuracy":
        value = split["tokens"]["accuracy"]
    elif metric == "weighted_token_f1":
        value = split["tokens"]["weighted_f1"]
    elif metric.startswith("f1_"):
        value = split["labels"].get(metric.removeprefix("f1_"), {}).get("f1")
    else:
        value = split["views"]["strict"][metric]
    return None if value is None else 100 * float(value)
