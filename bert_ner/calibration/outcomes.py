"""How far a pipeline's confidence can be trusted: calibration, and what a threshold costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

BINS = 15  # of equal mass


@dataclass(frozen=True)
class Outcomes:
    """Every predicted mention: how sure the pipeline was, and whether it was right."""

    confidence: NDArray[np.float64]  # from 0 to 1
    correct: NDArray[np.bool_]  # span and label, strictly
    gold: int  # how many mentions there are to find

    def __len__(self) -> int:
        return len(self.confidence)

    def above(self, threshold: float) -> dict[str, float]:
        """Precision and recall of the mentions whose confidence reaches a threshold.

        threshold (float): From 0 to 1.
        RETURNS (dict[str, float]): precision (1 if none is left), recall, and the
            share kept.
        """
        kept = self.confidence >= threshold
        right = int(self.correct[kept].sum())
        return {
            "precision": right / int(kept.sum()) if kept.any() else 1.0,
            "recall": right / max(1, self.gold),
            "kept": float(kept.mean()) if len(self) else 1.0,
        }


def outcomes(examples: Iterable[Example]) -> Outcomes | None:
    """Compare predicted mentions with gold ones.

    examples (Iterable[Example]): Examples whose predicted documents are annotated.
    RETURNS (Outcomes | None): Every mention that has a confidence, or None if none
        has.
    """
    confidence, correct, gold = [], [], 0
    for example in examples:
        wanted = {(e.start, e.end, e.label) for e in example.get_aligned_spans_y2x(_ents(example))}
        gold += len(_ents(example))
        for ent in example.predicted.ents:
            if ent.has_extension("confidence") and ent._.confidence is not None:
                confidence.append(ent._.confidence)
                correct.append((ent.start, ent.end, ent.label) in wanted)
    if not confidence:
        return None
    return Outcomes(np.array(confidence), np.array(correct), gold)


def _ents(example: Example) -> list[Any]:
    return list(example.reference.ents)


def expected_calibration_error(found: Outcomes, bins: int = BINS) -> float:
    """The mean gap between confidence and precision, over bins of equal mass.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated
    Probabilities Using Bayesian Binning" (AAAI 2015), with the equal-mass bins of
    Nixon et al., "Measuring Calibration in Deep Learning" (2019).

    found (Outcomes): The predicted mentions, at least one.
    bins (int): How many bins.
    RETURNS (float): From 0 to 1.
    """
    order = np.argsort(found.confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [
        len(part) * abs(found.confidence[part].mean() - found.correct[part].mean())
        for part in parts
    ]
    return float(sum(gaps) / len(found))


def threshold_for(found: Outcomes, precision: float) -> float | None:
    """The lowest threshold at which precision is reached.

    found (Outcomes): The predicted mentions.
    precision (float): What is wanted, from 0 to 1.
    RETURNS (float | None): A mention's confidence, or None if no threshold does.
    """
    order = np.argsort(-found.confidence, kind="stable")
    reached = np.cumsum(found.correct[order]) / np.arange(1, len(found) + 1)
    confidence = found.confidence[order]
    # of mentions that are equally sure, all or none are kept
    last = np.append(confidence[1:] != confidence[:-1], True)
    good = np.flatnonzero((reached >= precision) & last)
    return float(confidence[good[-1]]) if len(good) else None


def summary(found: Outcomes) -> dict[str, Any]:
    """What is recorded of a split.

    found (Outcomes): The predicted mentions.
    RETURNS (dict[str, Any]): ece, and precision, recall and the share kept at
        confidence 0.5, 0.7, 0.9 and 0.95.
    """
    return {
        "mentions": len(found),
        "ece": expected_calibration_error(found),
        "thresholds": {str(t): found.above(t) for t in (0.5, 0.7, 0.9, 0.95)},
    }
