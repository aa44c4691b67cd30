"""The tags of a tag scheme, and which may follow which.

A scheme is data: its prefixes, and which of them begin, continue and end a
mention. All else follows from that.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

MISSING = -1  # the column of a token that is not annotated


@dataclass(frozen=True)
class Scheme:
    """A tag scheme: which prefixes begin, continue and end a mention."""

    prefixes: str
    begins: str
    ends: str
    continues: frozenset[str]  # pairs of prefixes that may stand inside one mention
    from_biluo: dict[str, str]  # how this scheme writes BILUO's prefixes


SCHEMES = {
    "biluo": Scheme("BILU", "BU", "LU", frozenset({"BI", "BL", "II", "IL"}), {}),
    "iob2": Scheme("BI", "B", "BI", frozenset({"BI", "II"}), {"L": "I", "U": "B"}),
}


@dataclass(frozen=True)
class Tagset:
    """The tags of some labels in a scheme: O, then each label with each prefix."""

    labels: tuple[str, ...]
    scheme: str = "biluo"

    @cached_property
    def tags(self) -> list[str]:
        """The tags in the order of the emissions' columns."""
        prefixes = SCHEMES[self.scheme].prefixes
        return ["O", *(f"{prefix}-{label}" for label in self.labels for prefix in prefixes)]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    def encode(self, biluo: list[str | None]) -> list[int]:
        """The columns of BILUO tags as spaCy gives them.

        biluo (list[str | None]): One tag a token; None, "-" and "" are missing.
        RETURNS (list[int]): One column a token, `MISSING` where it is missing.
        RAISES (ValueError): If a label is none of this tag set's.
        """
        rename = SCHEMES[self.scheme].from_biluo
        columns = []
        for tag in biluo:
            if not tag or tag.startswith("-"):
                columns.append(MISSING)
                continue
            written = tag if tag == "O" else rename.get(tag[0], tag[0]) + tag[1:]
            if written not in self._index:
                raise ValueError(f"label {tag[2:]!r} is not one of {', '.join(self.labels)}")
            columns.append(self._index[written])
        return columns

    def spans(self, columns: list[int]) -> list[tuple[int, int, str]]:
        """The mentions of a legal sequence: half-open token ranges with labels."""
        found = []
        start = 0
        ends = SCHEMES[self.scheme].ends
        for i, column in enumerate(columns):
            tag = self.tags[column]
            if tag == "O":
                continue
            if tag[0] in SCHEMES[self.scheme].begins:
                start = i
            following = self.tags[columns[i + 1]] if i + 1 < len(columns) else "O"
            if tag[0] in ends and not self._continues(tag, following):
                found.append((start, i + 1, tag[2:]))
        return found

    def _continues(self, tag: str, following: str) -> bool:
        """Whether a tag continues the mention that the tag before it belongs to."""
        pair = tag[0] + following[0]
        return tag[2:] == following[2:] and pair in SCHEMES[self.scheme].continues

    @cached_property
    def continuing(self) -> Tensor:
        """Whether column j continues the mention of column i, (K, K)."""
        return torch.tensor([[self._continues(a, b) for b in self.tags] for a in self.tags])

    @cached_property
    def allowed(self) -> Tensor:
        """Which transitions are legal, (K + 1, K + 1). The last is the sequence's edge."""
        scheme = SCHEMES[self.scheme]
        free_after = torch.tensor([t == "O" or t[0] in scheme.ends for t in self.tags] + [True])
        free_before = torch.tensor([t == "O" or t[0] in scheme.begins for t in self.tags] + [True])
        allowed = free_after[:, None] & free_before[None, :]
        allowed[:-1, :-1] |= self.continuing
        return allowed

    def constrain(self, transitions: Tensor | None = None) -> Tensor:
        """Transitions with minus infinity where they are illegal.

        transitions (Tensor | None): Scores (K + 1, K + 1), float64, by default 0.
        RETURNS (Tensor): (K + 1, K + 1), float64.
        """
        if transitions is None:
            transitions = torch.zeros(self.allowed.shape, dtype=torch.double)
        return transitions.masked_fill(~self.allowed, -torch.inf)


@lru_cache
def tagset(labels: tuple[str, ...], scheme: str) -> Tagset:
    """The tag set of some labels in a scheme.

    labels (tuple[str, ...]): The labels.
    scheme (str): One of `SCHEMES`.
    RETURNS (Tagset): The tags.
    RAISES (ValueError): If there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f'scheme = "{scheme}": expected one of {", ".join(SCHEMES)}')
    return Tagset(labels, scheme)
