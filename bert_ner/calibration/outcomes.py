"""Reliability of a pipeline's confidence: calibration error, and scores above a threshold."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.training import Example

from ..evaluation.records import ConfidenceSummary, ThresholdScores

BINS = 15  # of equal mass


@dataclass(frozen=True)
class Outcomes:
    """The predicted mentions of a split.

    confidence (NDArray[np.float64]): Confidence of each mention, from 0 to 1.
    correct (NDArray[np.bool_]): Whether span and label of each mention are correct.
    gold (int): Number of gold mentions.
    """

    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]
    gold: int

    def __len__(self) -> int:
        return len(self.confidence)

    def above(self, threshold: float) -> ThresholdScores:
        """Score the mentions whose confidence reaches a threshold.

        threshold (float): From 0 to 1.
        RETURNS (ThresholdScores): Precision (1 if no mention is left), recall, and the
            share of mentions that is left.
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
    RETURNS (Outcomes | None): Every mention that has a confidence; None if none has.
    """
    confidence, correct, gold = [], [], 0
    for example in examples:
        gold_ents = list(example.reference.ents)
        aligned = example.get_aligned_spans_y2x(gold_ents)
        spans = {(ent.start, ent.end, ent.label) for ent in aligned}
        gold += len(gold_ents)
        for ent in example.predicted.ents:
            if ent.has_extension("confidence") and ent._.confidence is not None:
                confidence.append(ent._.confidence)
                correct.append((ent.start, ent.end, ent.label) in spans)
    if not confidence:
        return None
    return Outcomes(np.array(confidence), np.array(correct), gold)


def expected_calibration_error(mentions: Outcomes, bins: int = BINS) -> float:
    """Compute the mean gap between confidence and precision, over bins of equal mass.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated
    Probabilities Using Bayesian Binning" (AAAI 2015), with the equal-mass bins of
    Nixon et al., "Measuring Calibration in Deep Learning" (2019).

    mentions (Outcomes): The predicted mentions, at least one.
    bins (int): Number of bins.
    RETURNS (float): From 0 to 1.
    """
    order = np.argsort(mentions.confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [
        len(part) * abs(mentions.confidence[part].mean() - mentions.correct[part].mean())
        for part in parts
    ]
    return float(sum(gaps) / len(mentions))


def threshold_for(mentions: Outcomes, precision: float) -> float | None:
    """Find the lowest threshold that reaches a precision.

    mentions (Outcomes): The predicted mentions.
    precision (float): The required precision, from 0 to 1.
    RETURNS (float | None): The confidence of a mention; None if no threshold reaches it.
    """
    order = np.argsort(-mentions.confidence, kind="stable")
    reached = np.cumsum(mentions.correct[order]) / np.arange(1, len(mentions) + 1)
    confidence = mentions.confidence[order]
    # A threshold keeps all mentions of equal confidence, or none of them.
    last = np.append(confidence[1:] != confidence[:-1], True)
    reaching = np.flatnonzero((reached >= precision) & last)
    return float(confidence[reaching[-1]]) if len(reaching) else None


def summary(mentions: Outcomes) -> ConfidenceSummary:
    """Summarize the reliability of a split's confidence for a record.

    mentions (Outcomes): The predicted mentions.
    RETURNS (ConfidenceSummary): The expected calibration error, and the scores at a
        confidence of 0.5, 0.7, 0.9 and 0.95.
    """
    return {
        "mentions": len(mentions),
        "ece": expected_calibration_error(mentions),
        "thresholds": {str(t): mentions.above(t) for t in (0.5, 0.7, 0.9, 0.95)},
    }
