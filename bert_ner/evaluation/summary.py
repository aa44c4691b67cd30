"""Everything that a report says of one split."""

from collections.abc import Sequence
from typing import Any

from ..calibration.outcomes import Outcomes
from . import breakdown, matching, reliability, significance
from .documents import Document, pairs_of
from .tokens import token_scores


def describe_split(
    documents: Sequence[Document], found: Outcomes | None, seen: dict[str, set[str]]
) -> dict[str, Any]:
    """Score a split in every way that needs nothing but its mentions.

    documents (Sequence[Document]): The split, annotated.
    found (Outcomes | None): Its predicted mentions, if the pipeline says how sure
        it is of them.
    seen (dict[str, set[str]]): The training mentions: see `breakdown.seen_in`.
    RETURNS (dict[str, Any]): What docs/report.md describes under `splits`.
    """
    pairs = pairs_of(documents)
    by_document = [document.pairs for document in documents]
    labels = matching.score_labels(pairs)
    counts = significance.count_documents(by_document)
    label_counts = significance.count_labels(by_document)
    confused = matching.confusion(pairs)
    return {
        "views": {view: matching.score(pairs, view).to_dict() for view in matching.VIEWS},
        "macro": matching.macro(labels.values()),
        "labels": {
            label: {**s.to_dict(), "interval_95": significance.interval(label_counts[label])}
            for label, s in labels.items()
        },
        "tokens": token_scores(documents),
        "interval_95": significance.interval(counts),
        "errors": matching.count_errors(pairs),
        "confusion": [
            {"gold": gold, "predicted": predicted, "count": count}
            for (gold, predicted), count in sorted(confused.items(), key=_by_label)
        ],
        "by": {
            "words of the mention": breakdown.to_dicts(breakdown.by_length(documents)),
            "words of its sentence": breakdown.to_dicts(breakdown.by_sentence(documents)),
            "seen in training": breakdown.to_dicts(breakdown.by_seen(documents, seen)),
            "case": breakdown.to_dicts(breakdown.by_case(documents)),
        },
        "reliability": reliability.reliability(found) if found else None,
        "risk_coverage": reliability.risk_coverage(found) if found else None,
        "area_under_risk": reliability.area_under_risk(found) if found else None,
        "documents": counts.tolist(),
    }


def _by_label(item: tuple[tuple[str | None, str | None], int]) -> list[tuple[bool, str]]:
    """Alphabetical order, those without a label last."""
    return [(label is None, label or "") for label in item[0]]
