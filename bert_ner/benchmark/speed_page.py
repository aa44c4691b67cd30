"""The page of the benchmark: tables and a plot from its record."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes

from ..evaluation.plots import STYLE, make_axes, to_svg
from ..files import replacing
from ..palette import BLUE, GREY, ORANGE
from ..templates import markdown_template
from .records import SpeedRecord, SpeedRow
from .systems import ABOUT
from .targets import GOAL, first_tenth


def write_page(record: SpeedRecord, page: Path) -> None:
    """Write the page of a record, and its plot next to it.

    record (SpeedRecord): The record.
    page (Path): Markdown file to write.
    """
    plot = page.with_suffix(".svg")
    with replacing(page) as partial:
        partial.write_text(render(record, plot.name), encoding="utf-8")
    with replacing(plot) as partial:
        partial.write_text(plot_speed(record["rows"]), encoding="utf-8")


def render(record: SpeedRecord, plot: str) -> str:
    """Render the page.

    record (SpeedRecord): The record.
    plot (str): File name of the plot.
    RETURNS (str): Markdown.
    """
    template = markdown_template(Path(__file__).parent / "speed.md")
    tenth = first_tenth(record["stream"])
    return template.render(about=ABOUT, plot=plot, goal=GOAL, tenth=tenth, **record)


def plot_speed(rows: Sequence[SpeedRow]) -> str:
    """Plot words per second of each system, for each kind of texts.

    rows (Sequence[SpeedRow]): The rows of the record.
    RETURNS (str): SVG.
    """
    kinds = list(dict.fromkeys(row["texts"] for row in rows))
    with mpl.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure, axes = make_axes(9.0, 3.4, len(kinds))
        for axis, kind in zip(axes, kinds, strict=True):
            _plot_kind(axis, kind, [row for row in rows if row["texts"] == kind])
            if axis is not axes[0]:
                axis.set_yticklabels([])
        return to_svg(figure, "Words a second of each system")


def _plot_kind(axis: Axes, kind: str, rows: Sequence[SpeedRow]) -> None:
    values = [row["words_per_second"] for row in rows]
    errors = [
        [row["words_per_second"] - row["range"][0] for row in rows],
        [row["range"][1] - row["words_per_second"] for row in rows],
    ]
    names = [row["system"] for row in rows]
    colours = [BLUE if n.startswith("ours") else ORANGE if n == "loop" else GREY for n in names]
    axis.barh(names, values, xerr=errors, color=colours, ecolor="black", capsize=2)
    axis.set(title=kind, xlabel="words a second", xlim=(0, None))
    axis.invert_yaxis()
