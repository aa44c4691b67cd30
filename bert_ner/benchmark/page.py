"""The page of a benchmark: tables and a plot, all from its record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from ..evaluation.plots import STYLE, make_axes, to_svg
from ..palette import BLUE, GREY, ORANGE
from ..templates import markdown_template
from .systems import ABOUT


def render(record: dict[str, Any]) -> str:
    """Write docs/speed.md.

    record (dict[str, Any]): What `bert_ner.benchmark.speed` writes as JSON.
    RETURNS (str): Markdown.
    """
    template = markdown_template(Path(__file__).parent / "speed.md")
    return template.render(about=ABOUT, **record)


def plot_speed(rows: Sequence[dict[str, Any]]) -> str:
    """Words a second of each system, for each kind of texts.

    rows (Sequence[dict[str, Any]]): The rows of the record.
    RETURNS (str): SVG.
    """
    kinds = list(dict.fromkeys(row["texts"] for row in rows))
    names = list(dict.fromkeys(row["system"] for row in rows))
    with mpl.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure, axes = make_axes(9.0, 3.4, len(kinds))
        for axis, kind in zip(axes, kinds, strict=True):
            found = {r["system"]: r for r in rows if r["texts"] == kind}
            values = [found[name]["words_per_second"] for name in names]
            spread = [
                [v - found[n]["range"][0] for n, v in zip(names, values, strict=True)],
                [found[n]["range"][1] - v for n, v in zip(names, values, strict=True)],
            ]
            colours = [
                BLUE if n.startswith("ours") else ORANGE if n == "loop" else GREY for n in names
            ]
            axis.barh(names, values, xerr=spread, color=colours, ecolor="black", capsize=2)
            axis.set(title=kind, xlabel="words a second", xlim=(0, None))
            axis.invert_yaxis()
            if axis is not axes[0]:
                axis.set_yticklabels([])
        return to_svg(figure, "Words a second of each system")
