"""The plots of a report, as SVG that stands in a page by itself."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..palette import BLUE, GREEN, GREY, ORANGE

LONGEST = 20  # characters of a label beside an axis
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "en_bert_ner",  # the same plot is the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def to_svg(figure: Figure, title: str) -> str:
    """The figure as an element of a page, with a title for those who cannot see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Title": title})
    text = file.getvalue()
    return text[text.index("<svg") :]


def make_axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of a size in inches, and its axes from left to right."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def _column(rows: Sequence[dict[str, Any]], key: str) -> NDArray[np.float64]:
    return np.array([row[key] for row in rows], dtype=float)  # None becomes nan


def plot_learning(rows: Sequence[dict[str, Any]]) -> str:
    """Loss, and precision, recall, F1 and accuracy on dev, over epochs.

    rows (Sequence[dict[str, Any]]): What `curves.read_log` gives.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (losses, scores) = make_axes(8.6, 3.0, 2)
        epochs = _column(rows, "epoch")
        for key, label, colour in (("training_loss", "training", GREY), ("dev_loss", "dev", BLUE)):
            values = _column(rows, key)
            if not np.isnan(values).all():
                losses.plot(epochs, values, "o-", ms=4, color=colour, label=label)
        if losses.lines:
            losses.set_yscale("log")
            losses.legend(frameon=False)
        else:
            losses.text(0.5, 0.5, "no loss of tokens", ha="center", transform=losses.transAxes)
        losses.set(xlabel="epoch", title="Loss of a token, in nats")
        for key, label, colour in (
            ("precision", "precision", ORANGE),
            ("recall", "recall", GREY),
            ("f1", "F1", BLUE),
            ("accuracy", "accuracy of tokens", GREEN),
        ):
            values = 100 * _column(rows, key)
            if not np.isnan(values).all():
                scores.plot(epochs, values, "o-", ms=4, color=colour, label=label)
        floor = max(0, round(100 * max((row["f1"] or 0 for row in rows), default=0) - 15))
        lowest = min((line.get_ydata().min() for line in scores.lines), default=0)  # type: ignore[union-attr]
        below = f", {floor} and more" if lowest < floor else ""
        scores.set(xlabel="epoch", title=f"On dev, in %{below}", ylim=(floor, 100))
        scores.legend(frameon=False, loc="lower right")
        return to_svg(figure, "Losses and scores by epoch")


def plot_confusion(counts: dict[tuple[str | None, str | None], int], labels: Sequence[str]) -> str:
    """Gold labels in rows, predicted ones in columns, as shares of the row.

    counts (dict[tuple[str | None, str | None], int]): What `matching.confusion` gives.
    labels (Sequence[str]): The labels, in order.
    RETURNS (str): SVG.
    """
    places = [*labels, None]
    table: NDArray[np.float64] = np.array([[counts.get((r, c), 0) for c in places] for r in places])
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    size = 0.62 * len(places) + 1.6
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
    """A label that leaves room for the plot."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def plot_reliability(bins: Sequence[dict[str, float]]) -> str:
    """How often mentions of each confidence are right.

    bins (Sequence[dict[str, float]]): What `trust.reliability` gives.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (axes,) = make_axes(4.2, 3.6)
        axes.plot([0, 1], [0, 1], "--", color=GREY, lw=1)
        axes.plot(
            [b["confidence"] for b in bins],
            [b["precision"] for b in bins],
            "o-",
            ms=5,
            color=BLUE,
        )
        axes.set(
            xlabel="mean confidence of a bin",
            ylabel="share that is right",
            xlim=(0, 1),
            ylim=(0, 1),
        )
        return to_svg(figure, "Reliability diagram")


def plot_risk(points: Sequence[dict[str, float]]) -> str:
    """How many mentions are wrong among the surest ones.

    points (Sequence[dict[str, float]]): What `trust.risk_coverage` gives.
    RETURNS (str): SVG.
    """
    with mpl.rc_context(STYLE):
        figure, (axes,) = make_axes(4.2, 3.6)
        axes.plot(
            [100 * p["coverage"] for p in points], [100 * p["risk"] for p in points], color=BLUE
        )
        axes.set(
            xlabel="mentions kept, the surest first, in %",
            ylabel="share of them that is wrong, in %",
            xlim=(0, 100),
        )
        axes.set_ylim(bottom=0)
        return to_svg(figure, "Risk-coverage curve")
