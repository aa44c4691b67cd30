"""Comparison of our figures with those that papers report."""

from collections.abc import Mapping

from ..training.papers import METRICS, Paper
from .records import PaperFigure, SplitReport


def compare(
    corpus: str, splits: Mapping[str, SplitReport], papers: Mapping[str, Paper]
) -> list[PaperFigure]:
    """Compare each figure that papers report for a corpus with ours.

    corpus (str): Name of the corpus.
    splits (Mapping[str, SplitReport]): Our measurements of dev and test.
    papers (Mapping[str, Paper]): The papers by name.
    RETURNS (list[PaperFigure]): The figures, in the order of the papers.
    """
    return [
        PaperFigure(
            paper=reported.title or paper.title,
            about=reported.about,
            split=reported.split,
            metric=METRICS.get(metric) or f"F1 of {metric.removeprefix('f1_')}",
            theirs=theirs,
            ours=ours(metric, splits[reported.split]),
        )
        for paper in papers.values()
        if paper.corpus == corpus
        for reported in paper.reported
        for metric, theirs in reported.figures.items()
    ]


def ours(metric: str, split: SplitReport) -> float | None:
    """Look up one of our figures, in the papers' units.

    metric (str): One of `METRICS`, or "f1_" and a label.
    split (SplitReport): Our measurements of the split.
    RETURNS (float | None): In points, a loss in nats. None if it was not measured.
    """
    if metric == "loss":
        return split.get("loss")
    if metric.startswith("f1_"):
        label = split["labels"].get(metric.removeprefix("f1_"))
        return None if label is None else 100 * label["f1"]
    strict, tokens = split["views"]["strict"], split["tokens"]
    shares = {
        "precision": strict["precision"],
        "recall": strict["recall"],
        "f1": strict["f1"],
        "accuracy": tokens["accuracy"],
        "weighted_token_f1": tokens["weighted_f1"],
    }
    return 100 * shares[metric]
