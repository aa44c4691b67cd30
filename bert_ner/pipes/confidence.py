"""Calibration: from the model's probability of a mention to a confidence that can be trusted.

A model that is trained until it makes no mistake on its training texts is overconfident on
other texts, especially about names that it has never seen. Two steps correct that, both
fitted on the dev split after training:

1. Scores are divided by a temperature before they become probabilities p
   (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
2. A logistic function of p and of features of the mention (Platt, "Probabilistic
   Outputs for Support Vector Machines", 1999):

       logit(confidence) = slope * logit(p) + bias
                           + unseen * is_unseen + ambiguous * is_ambiguous + length * words

   A mention is unseen if the training texts have no mention with the same label and the
   same text, ignoring case. It is ambiguous if they have one with the same text and
   another label. New texts have a larger share of unseen mentions than dev, which a
   temperature alone cannot correct. `words` is the number of tokens after the first, at
   most 3.

Training mentions are stored as hashes only.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import mul
from typing import Any, TypedDict, cast

from spacy.strings import get_string_id

FEATURES = ("slope", "bias", "unseen", "ambiguous", "length")
CHANGE_NOTHING = (1.0, 0.0, 0.0, 0.0, 0.0)
MOST_WORDS = 3
SMALLEST = 1e-7  # smallest distance of a probability from 0 and 1


class StoredCalibration(TypedDict, total=False):
    """Serialized `Calibration`."""

    temperature: float
    slope: float
    bias: float
    unseen: float
    ambiguous: float
    length: float
    labels: list[str]
    seen: list[int]


def mention_key(text: str, label: str) -> int:
    """A hash of a mention with 53 bits, which every JSON parser reads exactly."""
    key: int = get_string_id(f"{label}\t{text.lower()}") & (2**53 - 1)
    return key


@dataclass(frozen=True)
class Calibration:
    """The function from probability to confidence. The default is the identity.

    temperature (float): Divisor of the scores, above 0.
    slope, bias, unseen, ambiguous, length (float): Weights of the features.
    labels (tuple[str, ...]): Labels of the training mentions.
    seen (frozenset[int]): Hashes of the training mentions. See `mention_key`.
    """

    temperature: float = 1.0
    slope: float = 1.0
    bias: float = 0.0
    unseen: float = 0.0
    ambiguous: float = 0.0
    length: float = 0.0
    labels: tuple[str, ...] = ()
    seen: frozenset[int] = field(default_factory=frozenset, repr=False)

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature = {self.temperature}: expected more than 0")

    @cached_property
    def _weights(self) -> tuple[float, ...]:
        return tuple(getattr(self, name) for name in FEATURES)

    def features(self, p: float, text: str, label: str, words: int) -> tuple[float, ...]:
        """The inputs of the logistic function, in the order of `FEATURES`.

        p (float): The probability at the temperature.
        text (str): The mention's text.
        label (str): Its label.
        words (int): Its number of tokens.
        RETURNS (tuple[float, ...]): The features.
        """
        p = min(max(p, SMALLEST), 1 - SMALLEST)
        known = {other for other in self.labels if mention_key(text, other) in self.seen}
        return (
            math.log(p / (1 - p)),
            1.0,
            float(label not in known),
            float(bool(known - {label})),
            float(min(words - 1, MOST_WORDS)),
        )

    def confidence(self, p: float, text: str, label: str, words: int) -> float:
        """The confidence of a mention, from 0 to 1. The arguments are those of `features`."""
        if self._weights == CHANGE_NOTHING:
            return p
        values = self.features(p, text, label, words)
        logit = sum(map(mul, self._weights, values))
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, logit))))

    def with_seen(self, mentions: Iterable[tuple[str, str]]) -> "Calibration":
        """A copy with other training mentions.

        mentions (Iterable[tuple[str, str]]): Texts and labels.
        RETURNS (Calibration): The copy.
        """
        mentions = list(mentions)
        return replace(
            self,
            labels=tuple(sorted({label for _, label in mentions})),
            seen=frozenset(mention_key(*mention) for mention in mentions),
        )

    @property
    def numbers(self) -> dict[str, float]:
        """Temperature and weights by name, rounded: some JSON parsers lose the last bit."""
        return {name: round(getattr(self, name), 6) for name in ("temperature", *FEATURES)}

    def to_dict(self) -> StoredCalibration:
        """Serialize for JSON."""
        stored = {**self.numbers, "labels": list(self.labels), "seen": sorted(self.seen)}
        return cast(StoredCalibration, stored)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """Read the output of `to_dict`. Missing keys get their default."""
        numbers = {k: round(v, 6) for k, v in stored.items() if k in (*FEATURES, "temperature")}
        labels, seen = tuple(stored.get("labels", ())), frozenset(stored.get("seen", ()))
        return cls(**numbers, labels=labels, seen=seen)
