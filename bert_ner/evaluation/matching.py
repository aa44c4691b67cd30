"""Pairs of gold and predicted mentions, the kinds of errors, and scores."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .records import CountedPrf, Prf


class Mention(NamedTuple):
    """A mention as a half-open range of tokens."""

    start: int
    end: int
    label: str

    def overlap(self, other: "Mention") -> int:
        """Count the tokens that both mentions have."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))


class Outcome(StrEnum):
    """Result of comparing a gold with a predicted mention."""

    CORRECT = "correct"
    LABEL = "wrong label"  # same tokens
    BOUNDARY = "wrong boundary"  # same label, some tokens in common
    BOTH = "wrong label and boundary"  # some tokens in common
    MISSED = "missed"  # no predicted mention
    INVENTED = "invented"  # no gold mention


ERRORS = [outcome for outcome in Outcome if outcome is not Outcome.CORRECT]


@dataclass(frozen=True)
class Pair:
    """A gold mention and its predicted counterpart. One of them may be None."""

    gold: Mention | None
    predicted: Mention | None

    @property
    def outcome(self) -> Outcome:
        """The kind of error, or that it is correct."""
        if self.predicted is None:
            return Outcome.MISSED
        if self.gold is None:
            return Outcome.INVENTED
        if self.gold[:2] == self.predicted[:2]:
            return Outcome.CORRECT if self.gold == self.predicted else Outcome.LABEL
        return Outcome.BOUNDARY if self.gold.label == self.predicted.label else Outcome.BOTH


def match(gold: Iterable[Mention], predicted: Iterable[Mention]) -> list[Pair]:
    """Pair the mentions of a document one to one.

    Equal mentions are paired first, then mentions of the same tokens, then mentions of
    the same label by the number of shared tokens, then all others that share tokens. Ties
    go to the first mention in the text.

        gold:       [EU ORG]  [Anna Berg PER]          (EU, EU), (Anna Berg, Berg),
        predicted:  [EU ORG]  [Berg PER] [Oslo LOC]    (None, Oslo)

    gold (Iterable[Mention]): The gold mentions.
    predicted (Iterable[Mention]): The predicted mentions.
    RETURNS (list[Pair]): Pairs in text order. Each mention is in exactly one.
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

    correct: float  # the partial view counts half mentions
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted mentions that are correct, 0 if there are none."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold mentions that were found, 0 if there are none."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 if both are 0."""
        total = self.predicted + self.gold
        return 2 * self.correct / total if total else 0.0

    def to_dict(self) -> CountedPrf:
        """Convert the score to a record for a JSON file."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.gold,
            "predicted": self.predicted,
        }


# Credit of each outcome in each view; outcomes that are not listed have none.
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

    Source: Chinchor and Sundheim, "MUC-5 Evaluation Metrics" (1993), in the form of
    Segura-Bedmar et al., "SemEval-2013 Task 9" (2013). The strict view requires the same
    tokens and label; exact boundary the same tokens; partial gives half credit if only
    some tokens are shared; type requires the same label and a shared token.

    pairs (Sequence[Pair]): The pairs of all documents.
    view (str): One of `VIEWS`.
    RETURNS (Score): The score.
    """
    credit = VIEWS[view]
    return Score(
        correct=sum(credit.get(pair.outcome, 0.0) for pair in pairs),
        predicted=sum(pair.predicted is not None for pair in pairs),
        gold=sum(pair.gold is not None for pair in pairs),
    )


def score_labels(pairs: Sequence[Pair]) -> dict[str, Score]:
    """Score each label strictly. The labels are in alphabetical order."""
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


def macro(scores: Collection[Score]) -> Prf:
    """Average over labels as seqeval does: labels without a gold mention count as well."""
    size = max(1, len(scores))
    return {
        "precision": sum(score.precision for score in scores) / size,
        "recall": sum(score.recall for score in scores) / size,
        "f1": sum(score.f1 for score in scores) / size,
    }


def confusion(pairs: Iterable[Pair]) -> dict[tuple[str | None, str | None], int]:
    """Count the pairs of each gold and predicted label.

    pairs (Iterable[Pair]): The pairs, whether or not their boundaries agree.
    RETURNS (dict[tuple[str | None, str | None], int]): Counts by gold and predicted
        label. None as the gold label means an invented mention, None as the predicted
        label a missed one.
    """
    sides = ((pair.gold, pair.predicted) for pair in pairs)
    return dict(Counter((g.label if g else None, p.label if p else None) for g, p in sides))


def count_errors(pairs: Iterable[Pair]) -> dict[str, int]:
    """Count the errors of each kind."""
    counts = Counter(pair.outcome for pair in pairs)
    return {kind.value: counts[kind] for kind in ERRORS}
