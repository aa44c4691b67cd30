"""Measurements of a split for the report."""

from collections.abc import Sequence

from ..calibration.outcomes import Outcomes
from . import breakdown, matching, reliability, significance
from .documents import Document, pairs_of
from .records import Confused, LabelScores, SplitReport
from .tokens import token_scores


def describe_split(
    documents: Sequence[Document],
    outcomes: Outcomes | None,
    seen: dict[str, set[str]],
    *,
    loss: float | None = None,
) -> SplitReport:
    """Measure a split in every way that needs only its mentions.

    documents (Sequence[Document]): The annotated documents.
    outcomes (Outcomes | None): The predicted mentions with their confidence. None if the
        pipeline gives none.
    seen (dict[str, set[str]]): Labels of the training mentions, from `breakdown.seen_in`.
    loss (float | None): Mean loss per token in nats, None if the pipeline gives none.
    RETURNS (SplitReport): The measurements.
    """
    pairs = pairs_of(documents)
    counts = significance.count_documents([document.pairs for document in documents])
    return {
        "views": {view: matching.score(pairs, view).to_dict() for view in matching.VIEWS},
        "macro": matching.macro(matching.score_labels(pairs).values()),
        "labels": _labels(documents),
        "tokens": token_scores(documents),
        "interval_95": significance.interval(counts),
        "errors": matching.count_errors(pairs),
        "confusion": _confusion(pairs),
        "by": {
            "words of the mention": breakdown.to_dicts(breakdown.by_length(documents)),
            "words of its sentence": breakdown.to_dicts(breakdown.by_sentence(documents)),
            "seen in training": breakdown.to_dicts(breakdown.by_seen(documents, seen)),
            "case": breakdown.to_dicts(breakdown.by_case(documents)),
        },
        "reliability": reliability.reliability(outcomes) if outcomes else None,
        "risk_coverage": reliability.risk_coverage(outcomes) if outcomes else None,
        "area_under_risk": reliability.area_under_risk(outcomes) if outcomes else None,
        "documents": counts.tolist(),
        "loss": loss,
    }


def _labels(documents: Sequence[Document]) -> dict[str, LabelScores]:
    scores = matching.score_labels(pairs_of(documents))
    counts = significance.count_labels([document.pairs for document in documents])
    return {
        label: {**score.to_dict(), "interval_95": significance.interval(counts[label])}
        for label, score in scores.items()
    }


def _confusion(pairs: Sequence[matching.Pair]) -> list[Confused]:
    """List the confusion counts in alphabetical order. No label comes last."""
    counts = matching.confusion(pairs)
    order = sorted(counts, key=lambda labels: [(label is None, label or "") for label in labels])
    return [
        {"gold": gold, "predicted": predicted, "count": counts[gold, predicted]}
        for gold, predicted in order
    ]
