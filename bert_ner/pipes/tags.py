"""The tags of a tag scheme, and the legal transitions between them.

A scheme is declared by its prefixes and by the prefixes that begin, continue and end a
mention. Everything else is derived from that.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

MISSING = -1  # column of a token without annotation


@dataclass(frozen=True)
class Scheme:
    """A tag scheme.

    prefixes (str): The prefixes, one character each.
    begins (str): Prefixes that begin a mention.
    ends (str): Prefixes that may end a mention.
    continues (frozenset[str]): Pairs of prefixes that may follow each other in a mention.
    from_biluo (dict[str, str]): BILUO prefixes that this scheme writes differently.
    """

    prefixes: str
    begins: str
    ends: str
    continues: frozenset[str]
    from_biluo: dict[str, str]


SCHEMES = {
    "biluo": Scheme("BILU", "BU", "LU", frozenset({"BI", "BL", "II", "IL"}), {}),
    "iob2": Scheme("BI", "B", "BI", frozenset({"BI", "II"}), {"L": "I", "U": "B"}),
}


@dataclass(frozen=True)
class Tagset:
    """The tags of some labels in a scheme: O, then each label with each prefix.

    K is the number of tags, and the column of a tag its index.

    labels (tuple[str, ...]): The labels.
    scheme (str): One of `SCHEMES`.
    """

    labels: tuple[str, ...]
    scheme: str = "biluo"

    @cached_property
    def tags(self) -> list[str]:
        """The tags, in the order of their columns."""
        prefixes = SCHEMES[self.scheme].prefixes
        return ["O", *(f"{prefix}-{label}" for label in self.labels for prefix in prefixes)]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    def encode(self, biluo: list[str | None]) -> list[int]:
        """The columns of BILUO tags as spaCy gives them.

        biluo (list[str | None]): One tag for each token; None, "-" and "" are missing.
        RETURNS (list[int]): One column for each token, `MISSING` for a missing tag.
        RAISES (ValueError): If a label is not in the tag set.
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
        """The mentions of a legal sequence: half-open token ranges with labels.

        columns (list[int]): The columns of a sequence's tags.
        RETURNS (list[tuple[int, int, str]]): Start, end and label, in order.
        """
        mentions = []
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
                mentions.append((start, i + 1, tag[2:]))
        return mentions

    def _continues(self, tag: str, following: str) -> bool:
        """Whether the second tag continues the mention of the first."""
        pair = tag[0] + following[0]
        return tag[2:] == following[2:] and pair in SCHEMES[self.scheme].continues

    @cached_property
    def continuing(self) -> Tensor:
        """Whether column j continues the mention of column i, (K, K)."""
        return torch.tensor([[self._continues(a, b) for b in self.tags] for a in self.tags])

    @cached_property
    def allowed(self) -> Tensor:
        """Whether a transition is legal, (K + 1, K + 1). Row and column K are the edge."""
        scheme = SCHEMES[self.scheme]
        free_after = torch.tensor([t == "O" or t[0] in scheme.ends for t in self.tags] + [True])
        free_before = torch.tensor([t == "O" or t[0] in scheme.begins for t in self.tags] + [True])
        allowed = free_after[:, None] & free_before[None, :]
        allowed[:-1, :-1] |= self.continuing
        return allowed

    def constrain(self, transitions: Tensor | None = None) -> Tensor:
        """Set the scores of illegal transitions to minus infinity.

        transitions (Tensor | None): Scores, (K + 1, K + 1), float64; None for zeros.
        RETURNS (Tensor): (K + 1, K + 1), float64.
        """
        if transitions is None:
            transitions = torch.zeros(self.allowed.shape, dtype=torch.double)
        return transitions.masked_fill(~self.allowed, -torch.inf)


@lru_cache
def tagset(labels: tuple[str, ...], scheme: str) -> Tagset:
    """The tag set of some labels in a scheme, made once.

    labels (tuple[str, ...]): The labels.
    scheme (str): One of `SCHEMES`.
    RETURNS (Tagset): The tag set.
    RAISES (ValueError): If there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f'scheme = "{scheme}": expected one of {", ".join(SCHEMES)}')
    return Tagset(labels, scheme)
