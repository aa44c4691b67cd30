"""Colours: contrast, and the same colours in plots, pages and highlighted texts."""

from pathlib import Path

import pytest

from bert_ner import palette
from tests.conftest import ROOT


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(front: str, back: str) -> float:
    dark, light = sorted((luminance(front), luminance(back)))
    return (light + 0.05) / (dark + 0.05)


def test_label_colours_differ_and_are_pale_enough_for_ink() -> None:
    colours = palette.label_colours(f"L{i}" for i in range(30))
    assert len(set(colours.values())) == 30
    assert min(contrast(palette.INK, colour) for colour in colours.values()) > 7
    assert palette.label_colours(["B", "A", "B"]) == palette.label_colours(["A", "B"])
    assert palette.label_colour("PER") == palette.label_colour("PER")
    assert contrast(palette.INK, palette.label_colour("PER")) > 7


@pytest.mark.parametrize("name", ["BLUE", "ORANGE", "GREY", "GREEN", "INK"])
def test_colours_of_plots_can_be_read_on_white(name: str) -> None:
    assert contrast(getattr(palette, name), "#ffffff") >= 4.5


def test_pages_use_the_palette() -> None:
    base = Path(ROOT / "bert_ner" / "evaluation" / "base.html").read_text(encoding="utf-8")
    assert f"--ink: {palette.INK};" in base
    assert f"--mark: {palette.BLUE};" in base
