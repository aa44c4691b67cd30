"""Colours of plots, pages and highlighted entities.

The plots' colours have a contrast of at least 4.5 to white, for lines and for text, and
colour-blind readers can tell them apart. Labels have pale backgrounds, on which `INK` has a
contrast of at least 7 (WCAG 2.2, levels AA and AAA).
"""

import colorsys
from collections.abc import Iterable
from zlib import crc32

INK = "#16181d"  # text, also on the colours of labels, in a light and in a dark theme
BLUE, ORANGE, GREY, GREEN = "#0b5cad", "#c2410c", "#6b7280", "#047857"
_GOLDEN_ANGLE = 0.381966  # of the circle: neighbours in the order differ much


def label_colours(labels: Iterable[str]) -> dict[str, str]:
    """Choose a pale colour for each label; equal sets of labels have equal colours.

    labels (Iterable[str]): The labels.
    RETURNS (dict[str, str]): Their colours, such as `#f5c3b8`.
    """
    return {label: _pale(0.05 + i * _GOLDEN_ANGLE) for i, label in enumerate(sorted(set(labels)))}


def label_colour(label: str) -> str:
    """Choose a pale colour for a label if the other labels are unknown. Two may look alike."""
    return _pale(crc32(label.encode()) / 2**32)


def _pale(hue: float) -> str:
    channels = colorsys.hls_to_rgb(hue % 1, 0.82, 0.75)
    return "#" + "".join(f"{round(255 * c):02x}" for c in channels)
