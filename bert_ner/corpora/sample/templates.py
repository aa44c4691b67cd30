"""Sentence templates, such as "[{person}|PER] moved to [{city}|LOC]" and a full stop.

A template is tokens separated by spaces. `{slot}` is the place of a name or number,
`[...|LABEL]` marks an entity. Lines that start with `#` are comments;
`[[train sentence]]` starts the templates of a split and a kind.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..tags import Scheme, TagSpan, spans_to_tags

_HEADER = re.compile(r"\[\[(\w+) (\w+)\]\]")
_SLOT = re.compile(r"\{(\w+)\}")
_PART = re.compile(r"\[(?P<inside>[^\[\]|]+)\|(?P<label>\w+)\]|(?P<word>\S+)")


class Part(NamedTuple):
    """An entity's words, or a single word outside entities (no label)."""

    words: tuple[str, ...]
    label: str

    def slots(self) -> list[str]:
        """List the names of the slots in the words."""
        return _SLOT.findall(" ".join(self.words))


Template = tuple[Part, ...]


class Filled(NamedTuple):
    """A sentence made from a template."""

    words: list[str]
    tags: list[str]


def parse(line: str) -> Template:
    """Read one template."""
    return tuple(
        Part(tuple((match["inside"] or match["word"]).split()), match["label"] or "")
        for match in _PART.finditer(line)
    )


def load(path: Path) -> dict[tuple[str, str], list[Template]]:
    """Read a file of templates.

    path (Path): The file.
    RETURNS (dict[tuple[str, str], list[Template]]): The templates of each split and kind.
    """
    templates: defaultdict[tuple[str, str], list[Template]] = defaultdict(list)
    section = ("", "")
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := _HEADER.fullmatch(line.strip()):
            section = (header[1], header[2])
        elif line.strip() and not line.startswith("#"):
            templates[section].append(parse(line))
    return dict(templates)


def fill(
    template: Template,
    pick: Callable[[str], str],
    relabel: Callable[[Part], str] = lambda part: part.label,
) -> Filled:
    """Make a sentence from a template.

    template (Template): The template.
    pick (Callable[[str], str]): Returns the text for a slot, with tokens separated by
        spaces.
    relabel (Callable[[Part], str]): Returns the label of an entity, "" for none.
    RETURNS (Filled): The words and their IOB2 tags.
    """
    words: list[str] = []
    spans: list[TagSpan] = []
    for part in template:
        start = len(words)
        words += _SLOT.sub(lambda slot: pick(slot[1]), " ".join(part.words)).split()
        if label := relabel(part):
            spans.append(TagSpan(start, len(words), label))
    return Filled(words, spans_to_tags(spans, len(words), Scheme.IOB2))
