"""Plots of a report, as SVG elements of a page."""

import io
from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType
from numpy.typing import NDArray

from ..palette import BLUE, GREEN, GREY, ORANGE
from .records import LearningStep, ReliabilityBin, RiskPoint

LONGEST = 20  # characters of a label on an axis
STYLE: dict[RcKeyType, object] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "en_bert_ner",  # equal plots give equal files
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
Column = Literal["training_loss", "dev_loss", "precision", "recall", "f1", "accuracy"]


def to_svg(figure: Figure, title: str) -> str:
    """Render a figure as an SVG element, with a title for screen readers."""
    file = io.StringIO()
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Title": title})
    text = file.getvalue()
    return text[text.index("<svg") :]


def make_axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Make a figure.

    width (float): Width in inches.
    height (float): Height in inches.
    columns (int): Number of axes.
    RETURNS (tuple[Figure, list[Axes]]): The figure and its axes, from left to right.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def plot_learning(steps: Sequence[LearningStep]) -> str:
    """Plot the losses, and precision, recall, F1 and accuracy on dev, over epochs.

    steps (Sequence[LearningStep]): The learning curve, from `learning_curve.read_log`.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (losses, scores) = make_axes(8.6, 3.0, 2)
        _plot_losses(losses, steps)
        _plot_scores(scores, steps)
        return to_svg(figure, "Losses and scores by epoch")


def _plot_losses(axes: Axes, steps: Sequence[LearningStep]) -> None:
    _plot_column(axes, steps, "training_loss", "training", GREY)
    _plot_column(axes, steps, "dev_loss", "dev", BLUE)
    if axes.lines:
        axes.set_yscale("log")
        axes.legend(frameon=False)
    else:
        axes.text(0.5, 0.5, "no loss per token", ha="center", transform=axes.transAxes)
    axes.set(xlabel="epoch", title="Loss per token, in nats")


def _plot_scores(axes: Axes, steps: Sequence[LearningStep]) -> None:
    lowest = min(
        _plot_column(axes, steps, "precision", "precision", ORANGE, scale=100),
        _plot_column(axes, steps, "recall", "recall", GREY, scale=100),
        _plot_column(axes, steps, "f1", "F1", BLUE, scale=100),
        _plot_column(axes, steps, "accuracy", "accuracy of tokens", GREEN, scale=100),
    )
    floor = max(0, round(100 * max((step["f1"] or 0 for step in steps), default=0) - 15))
    below = f", {floor} and more" if lowest < floor else ""
    axes.set(xlabel="epoch", title=f"Scores on dev, in %{below}", ylim=(floor, 100))
    axes.legend(frameon=False, loc="lower right")


def _plot_column(
    axes: Axes,
    steps: Sequence[LearningStep],
    key: Column,
    label: str,
    colour: str,
    *,
    scale: float = 1,
) -> float:
    """Plot a column of a learning curve unless it is unknown; returns its lowest value."""
    values = scale * np.array([step[key] for step in steps], dtype=float)  # None becomes nan
    if np.isnan(values).all():
        return float("inf")
    axes.plot([step["epoch"] for step in steps], values, "o-", ms=4, color=colour, label=label)
    return float(np.nanmin(values))


def plot_confusion(counts: dict[tuple[str | None, str | None], int], labels: Sequence[str]) -> str:
    """Plot the confusion matrix: gold labels in rows, predicted ones in columns.

    The colour of a cell is its share of the row.

    counts (dict[tuple[str | None, str | None], int]): Counts from `matching.confusion`.
    labels (Sequence[str]): The labels in order.
    RETURNS (str): SVG.
    """
    keys = [*labels, None]
    table: NDArray[np.float64] = np.array([[counts.get((r, c), 0) for c in keys] for r in keys])
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    size = 0.62 * len(keys) + 1.6
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure, (axes,) = make_axes(size, size * 0.85)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (i, j), count in np.ndenumerate(table):
            if count:
                colour = "white" if shares[i, j] > 0.55 else "black"
                axes.text(j, i, f"{int(count):,}", ha="center", va="center", color=colour)
        for axis, last in ((axes.xaxis, "missed"), (axes.yaxis, "invented")):
            names = [*map(_short, labels), f"({last})"]
            axis.set_ticks(range(len(names)), names, parse_math=False)
        axes.set_xticklabels(axes.get_xticklabels(), rotation=40, ha="right", parse_math=False)
        axes.set(xlabel="predicted", ylabel="gold")
        return to_svg(figure, "Confusion matrix of mentions")


def _short(label: str) -> str:
    """Shorten a label so that it leaves room for the plot."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def plot_reliability(bins: Sequence[ReliabilityBin]) -> str:
    """Plot the reliability diagram: precision by confidence.

    bins (Sequence[ReliabilityBin]): Bins from `reliability.reliability`.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (axes,) = make_axes(4.2, 3.6)
        axes.plot([0, 1], [0, 1], "--", color=GREY, lw=1)
        confidence, precision = ([b["confidence"] for b in bins], [b["precision"] for b in bins])
        axes.plot(confidence, precision, "o-", ms=5, color=BLUE)
        axes.set(xlabel="mean confidence of a bin", ylabel="share that is correct")
        axes.set(xlim=(0, 1), ylim=(0, 1))
        return to_svg(figure, "Reliability diagram")


def plot_risk(points: Sequence[RiskPoint]) -> str:
    """Plot the share of wrong mentions among the most confident ones.

    points (Sequence[RiskPoint]): Points from `reliability.risk_coverage`.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (axes,) = make_axes(4.2, 3.6)
        coverage, risk = ([100 * p["coverage"] for p in points], [100 * p["risk"] for p in points])
        axes.plot(coverage, risk, color=BLUE)
        axes.set(xlabel="most confident mentions kept, in %", ylabel="share that is wrong, in %")
        axes.set(xlim=(0, 100))
        axes.set_ylim(bottom=0)
        return to_svg(figure, "Risk-coverage curve")
