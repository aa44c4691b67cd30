"""Reliability of the confidence: bins for the diagram, and risk against coverage."""

import numpy as np

from ..calibration.outcomes import BINS, Outcomes
from .records import ReliabilityBin, RiskPoint

POINTS = 100  # of a risk-coverage curve


def reliability(outcomes: Outcomes, bins: int = BINS) -> list[ReliabilityBin]:
    """Group mentions into the bins of equal mass of the expected calibration error.

    outcomes (Outcomes): The predicted mentions, at least one.
    bins (int): Number of bins.
    RETURNS (list[ReliabilityBin]): For each bin its number of mentions, their mean
        confidence, and the share that is correct.
    """
    order = np.argsort(outcomes.confidence, kind="stable")
    return [
        {
            "mentions": len(part),
            "confidence": float(outcomes.confidence[part].mean()),
            "precision": float(outcomes.correct[part].mean()),
        }
        for part in np.array_split(order, bins)
        if len(part)
    ]


def risk_coverage(outcomes: Outcomes, points: int = POINTS) -> list[RiskPoint]:
    """Compute the share of wrong mentions among the most confident ones.

    Source: El-Yaniv and Wiener, "On the Foundations of Noise-free Selective
    Classification" (JMLR 2010).

    outcomes (Outcomes): The predicted mentions, at least one.
    points (int): Maximum number of points of the curve.
    RETURNS (list[RiskPoint]): Coverage, the share of mentions that is kept; risk, the
        share of the kept ones that is wrong; and their lowest confidence.
    """
    order = np.argsort(-outcomes.confidence, kind="stable")
    wrong = np.cumsum(~outcomes.correct[order])
    ends = np.unique(np.linspace(1, len(outcomes), min(points, len(outcomes))).round().astype(int))
    return [
        {
            "coverage": float(n / len(outcomes)),
            "risk": float(wrong[n - 1] / n),
            "confidence": float(outcomes.confidence[order[n - 1]]),
        }
        for n in ends
    ]


def area_under_risk(outcomes: Outcomes) -> float:
    """Compute the mean risk over all coverages; 0 is best. Source: Geifman and El-Yaniv (2017)."""
    order = np.argsort(-outcomes.confidence, kind="stable")
    wrong = np.cumsum(~outcomes.correct[order])
    return float((wrong / np.arange(1, len(outcomes) + 1)).mean())
