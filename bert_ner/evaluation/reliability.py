"""How far a confidence can be trusted: reliability, and risk against coverage."""

import numpy as np

from ..calibration.outcomes import BINS, Outcomes

POINTS = 100  # of a risk-coverage curve


def reliability(found: Outcomes, bins: int = BINS) -> list[dict[str, float]]:
    """Bins of equal mass, as the expected calibration error has them.

    found (Outcomes): The predicted mentions, at least one.
    bins (int): How many bins.
    RETURNS (list[dict[str, float]]): Of each bin: how many mentions, their mean
        confidence, and the share that is right.
    """
    order = np.argsort(found.confidence, kind="stable")
    return [
        {
            "mentions": len(part),
            "confidence": float(found.confidence[part].mean()),
            "precision": float(found.correct[part].mean()),
        }
        for part in np.array_split(order, bins)
        if len(part)
    ]


def risk_coverage(found: Outcomes, points: int = POINTS) -> list[dict[str, float]]:
    """How many mentions are wrong among the surest ones.

    Source: El-Yaniv and Wiener, "On the Foundations of Noise-free Selective
    Classification" (JMLR 2010).

    found (Outcomes): The predicted mentions, at least one.
    points (int): How many points of the curve, at most.
    RETURNS (list[dict[str, float]]): Coverage, the share of mentions that is kept;
        risk, the share of those that is wrong; and the confidence that they reach.
    """
    order = np.argsort(-found.confidence, kind="stable")
    wrong = np.cumsum(~found.correct[order])
    ends = np.unique(np.linspace(1, len(found), min(points, len(found))).round().astype(int))
    return [
        {
            "coverage": float(n / len(found)),
            "risk": float(wrong[n - 1] / n),
            "confidence": float(found.confidence[order[n - 1]]),
        }
        for n in ends
    ]


def area_under_risk(found: Outcomes) -> float:
    """The mean risk over all coverages; 0 is best. Source: Geifman and El-Yaniv (2017)."""
    order = np.argsort(-found.confidence, kind="stable")
    wrong = np.cumsum(~found.correct[order])
    return float((wrong / np.arange(1, len(found) + 1)).mean())
