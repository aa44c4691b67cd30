"""What the papers reported, beside what was measured here."""

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_toml

SPLITS = ("dev", "test")
NAMES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "accuracy": "accuracy of tokens",
    "loss": "loss of a token",
    "weighted_token_f1": "F1 of tokens, weighted",
}


def read_papers(path: Path) -> list[dict[str, Any]]:
    """Read the papers' figures.

    path (Path): configs/papers.toml.
    RETURNS (list[dict[str, Any]]): The papers: corpus, name, about, split and figures.
    RAISES (InputError): What is wrong with it.
    """
    papers = read_toml(path).get("papers", [])
    for paper in papers:
        if missing := {"corpus", "name", "about", "split", "figures"} - set(paper):
            raise InputError(f"{path}: a paper has no {', '.join(sorted(missing))}.")
        if paper["split"] not in SPLITS:
            raise InputError(f'{path}: split = "{paper["split"]}": expected {" or ".join(SPLITS)}.')
        for metric in paper["figures"]:
            if metric not in NAMES and not metric.startswith("f1_"):
                raise InputError(
                    f"{path}: {metric} is not measured. Known: {', '.join(NAMES)}, and f1_ "
                    f"before a label."
                )
    return list(papers)


def compare(
    corpus: str, splits: dict[str, Any], papers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Put ours beside theirs, figure by figure.

    corpus (str): The corpus.
    splits (dict[str, Any]): What `split.describe_split` gives, by split.
    papers (list[dict[str, Any]]): What `read_papers` gives.
    RETURNS (list[dict[str, Any]]): Paper, what it says of its figures, split, metric,
        theirs and ours. Ours is None where it was not measured.
    """
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
