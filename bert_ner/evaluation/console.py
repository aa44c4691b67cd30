"""Scores as text for the terminal."""

from wasabi import table

from ..corpora.sources import Kind
from .records import Prf, Scores


def format_scores(metrics: Scores) -> str:
    """Format scores for a terminal.

    metrics (Scores): The scores.
    RETURNS (str): Several lines: the pipeline, the corpus, a table, and the reliability of
        the confidence.
    """
    source, scores = metrics["source"], metrics["scores"]
    lines = [
        f"{metrics['pipeline']}, trained on: {metrics['trained_on']}",
        f"scored on: {source['title']}, from {source['where']}",
        _table(metrics),
    ]
    for split, values in scores.items():
        if confidence := values["confidence"]:
            at = confidence["thresholds"]["0.9"]
            lines.append(
                f"{split}: expected calibration error {confidence['ece']:.4f}; "
                f"at confidence 0.9 P {100 * at['precision']:.2f}, R {100 * at['recall']:.2f}"
            )
    speed = scores["test"]["words_per_second"]
    lines.append(f"{speed:,} words per second on {metrics['machine']}")
    if source["kind"] == Kind.SAMPLE:
        lines.append(f"Scores on the built-in sample are not scores on {source['corpus']}.")
    return "\n".join(lines)


def _table(metrics: Scores) -> str:
    scores = metrics["scores"]
    rows = [(split, *_percent(values)) for split, values in scores.items()]
    rows += [(f"  {label}", *_percent(v)) for label, v in scores["test"]["labels"].items()]
    return str(table(rows, header=("", "P", "R", "F1"), divider=True, aligns=("l", "r", "r", "r")))


def _percent(values: Prf) -> tuple[str, ...]:
    return tuple(f"{100 * x:.2f}" for x in (values["precision"], values["recall"], values["f1"]))
