"""From the probability that a model gives a mention to one that can be trusted.

A model that was trained until it makes no mistake on its training texts is too
sure of itself on others, most of all about names it has never seen. Two steps,
both chosen on the dev split after training, mend that:

1. Scores are divided by a temperature before they become probabilities p
   (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
2. A logistic function of p and of what is known about the mention (Platt,
   "Probabilistic Outputs for Support Vector Machines", 1999):

       logit(confidence) = slope * logit(p) + bias
                           + unseen * is_unseen + ambiguous * is_ambiguous + length * words

   A mention is unseen if the training texts have no mention of the same text,
   whatever its case, and label, and ambiguous if they have one of the same text
   and another label. The share of the unseen is larger in new texts than in dev,
   which a temperature alone cannot know. `words` counts those after the first,
   3 at most.

Training mentions are kept as hashes only.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import mul
from typing import Any

from spacy.strings import get_string_id

FEATURES = ("slope", "bias", "unseen", "ambiguous", "length")
CHANGE_NOTHING = (1.0, 0.0, 0.0, 0.0, 0.0)
MOST_WORDS = 3
SMALLEST = 1e-7  # a probability is never nearer to 0 or 1 than this


def mention_key(text: str, label: str) -> int:
    """A hash of a mention, of 53 bits, which every JSON parser reads exactly."""
    key: int = get_string_id(f"{label}\t{text.lower()}") & (2**53 - 1)
    return key


@dataclass(frozen=True)
class Calibration:
    """How confidence is made. As it stands, it is the model's own probability."""

    temperature: float = 1.0
    slope: float = 1.0
    bias: float = 0.0
    unseen: float = 0.0
    ambiguous: float = 0.0
    length: float = 0.0
    labels: tuple[str, ...] = ()  # of the training mentions
    seen: frozenset[int] = field(default_factory=frozenset, repr=False)

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature = {self.temperature}: expected more than 0")

    @cached_property
    def _weights(self) -> tuple[float, ...]:
        return tuple(getattr(self, name) for name in FEATURES)

    def features(self, p: float, text: str, label: str, words: int) -> tuple[float, ...]:
        """What the logistic function weighs, in the order of `FEATURES`.

        p (float): The probability at the temperature.
        text (str): The mention's text.
        label (str): Its label.
        words (int): How many tokens it has.
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
        """The same, knowing the texts and labels of the training mentions."""
        mentions = list(mentions)
        return replace(
            self,
            labels=tuple(sorted({label for _, label in mentions})),
            seen=frozenset(mention_key(*mention) for mention in mentions),
        )

    def to_dict(self) -> dict[str, Any]:
        """What is stored with the pipeline, as JSON can hold it."""
        # rounded, since not every parser gives back the last bit
        numbers = {name: round(getattr(self, name), 6) for name in ("temperature", *FEATURES)}
        return {**numbers, "labels": list(self.labels), "seen": sorted(self.seen)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Calibration":
        """Read what `to_dict` gave. What is not there is as in a new pipeline."""
        numbers = {k: round(v, 6) for k, v in stored.items() if k in (*FEATURES, "temperature")}
        labels, seen = tuple(stored.get("labels", ())), frozenset(stored.get("seen", ()))
        return cls(**numbers, labels=labels, seen=seen)
