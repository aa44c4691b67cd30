"""Which predicted mention stands for which gold one, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Mention(NamedTuple):
    """A mention as a half-open range of tokens."""

    start: int
    end: int
    label: str

    def overlap(self, other: "Mention") -> int:
        """How many tokens both have."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))


class Outcome(StrEnum):
    """What became of a mention."""

    CORRECT = "correct"
    LABEL = "wrong label"  # the same tokens
    BOUNDARY = "wrong boundary"  # the same label, and tokens in common
    BOTH = "wrong label and boundary"  # tokens in common
    MISSED = "missed"  # no predicted mention stands for it
    INVENTED = "invented"  # it stands for no gold mention


ERRORS = [outcome for outcome in Outcome if outcome is not Outcome.CORRECT]


@dataclass(frozen=True)
class Pair:
    """A gold mention and the predicted one that stands for it; one of them may be None."""

    gold: Mention | None
    predicted: Mention | None

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.predicted is None:
            return Outcome.MISSED
        if self.gold is None:
            return Outcome.INVENTED
        if self.gold[:2] == self.predicted[:2]:
            return Outcome.CORRECT if self.gold == self.predicted else Outcome.LABEL
        return Outcome.BOUNDARY if self.gold.label == self.predicted.label else Outcome.BOTH


def match(gold: Iterable[Mention], predicted: Iterable[Mention]) -> list[Pair]:
    """Pair the mentions of a document one to one.

    Equal mentions are paired first, then those of the same tokens, then those of
    the same label by how many tokens they share, then the others that share
    tokens. Of equals, the first in the text is taken.

    gold (Iterable[Mention]): The gold mentions.
    predicted (Iterable[Mention]): The predicted mentions.
    RETURNS (list[Pair]): Every mention once, in the order of the text.
    """
    gold, predicted = sorted(set(gold)), sorted(set(predicted))
    candidates = [(g, p) for g in gold for p in _near(g, predicted)]
    candidates.sort(key=lambda pair: _rank(*pair))
    left_gold, left_predicted = set(gold), set(predicted)
    pairs = []
    for g, p in candidates:
        if g in left_gold and p in left_predicted:
            pairs.append(Pair(g, p))
            left_gold.remove(g)
            left_predicted.remove(p)
    pairs += [Pair(g, None) for g in left_gold]
    pairs += [Pair(None, p) for p in left_predicted]
    return sorted(pairs, key=lambda pair: (pair.gold or pair.predicted, pair.gold is None))


def _near(mention: Mention, others: list[Mention]) -> list[Mention]:
    return [other for other in others if mention.overlap(other)]


def _rank(gold: Mention, predicted: Mention) -> tuple[bool, bool, bool, int]:
    return (
        gold != predicted,
        gold[:2] != predicted[:2],
        gold.label != predicted.label,
        -gold.overlap(predicted),
    )


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 from counts."""

    correct: float  # partly right mentions count half in one of the views
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """The share of predicted mentions that are right; 0 if there are none."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of gold mentions that are found; 0 if there are none."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0 if both are."""
        total = self.predicted + self.gold
        return 2 * self.correct / total if total else 0.0

    def to_dict(self) -> dict[str, float]:
        """For a JSON file: the scores, from 0 to 1, and the gold mentions as support."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.gold,
            "predicted": self.predicted,
        }


# What counts as right in each view: the whole of a mention, or half of it.
VIEWS: dict[str, dict[Outcome, float]] = {
    "strict": {Outcome.CORRECT: 1.0},
    "exact boundary": {Outcome.CORRECT: 1.0, Outcome.LABEL: 1.0},
    "partial": {
        Outcome.CORRECT: 1.0,
        Outcome.LABEL: 1.0,
        Outcome.BOUNDARY: 0.5,
        Outcome.BOTH: 0.5,
    },
    "type": {Outcome.CORRECT: 1.0, Outcome.BOUNDARY: 1.0},
}


def score(pairs: Sequence[Pair], view: str = "strict") -> Score:
    """Score pairs in one of the four views of MUC.

    Source: Chinchor and Sundheim, "MUC-5 Evaluation Metrics" (1993), in the form
    of Segura-Bedmar et al., "SemEval-2013 Task 9" (2013): strict asks for tokens
    and label, exact boundary for the tokens alone, partial counts half where
    only some tokens are shared, and type asks for the label where some are.

    pairs (Sequence[Pair]): The pairs of all documents.
    view (str): One of `VIEWS`.
    RETURNS (Score): The score.
    """
    worth = VIEWS[view]
    return Score(
        correct=sum(worth.get(pair.outcome, 0.0) for pair in pairs),
        predicted=sum(pair.predicted is not None for pair in pairs),
        gold=sum(pair.gold is not None for pair in pairs),
    )


def score_labels(pairs: Sequence[Pair]) -> dict[str, Score]:
    """The strict score of each label, in alphabetical order."""
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    for pair in pairs:
        if pair.gold:
            gold[pair.gold.label] += 1
        if pair.predicted:
            predicted[pair.predicted.label] += 1
        if pair.gold and pair.outcome is Outcome.CORRECT:
            correct[pair.gold.label] += 1
    labels = sorted(set(gold) | set(predicted))
    return {label: Score(correct[label], predicted[label], gold[label]) for label in labels}


def macro(scores: Iterable[Score]) -> dict[str, float]:
    """The means over labels, also those that are predicted alone, as seqeval makes them."""
    known = list(scores)
    names = ("precision", "recall", "f1")
    if not known:
        return dict.fromkeys(names, 0.0)
    return {name: sum(getattr(score, name) for score in known) / len(known) for name in names}


def confusion(pairs: Iterable[Pair]) -> dict[tuple[str | None, str | None], int]:
    """How often a gold label was given which label.

    pairs (Iterable[Pair]): The pairs, whether or not their boundaries agree.
    RETURNS (dict[tuple[str | None, str | None], int]): Counts by gold and predicted
        label. None stands for no gold mention, which is an invented one, or for no
        predicted one, which is a missed one.
    """
    sides = ((pair.gold, pair.predicted) for pair in pairs)
    return dict(Counter((g.label if g else None, p.label if p else None) for g, p in sides))


def count_errors(pairs: Iterable[Pair]) -> dict[str, int]:
    """How many errors there are of each kind; every error is of exactly one."""
    counts = Counter(pair.outcome for pair in pairs)
    return {kind.value: counts[kind] for kind in ERRORS}
