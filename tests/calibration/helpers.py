"""Mentions with known confidences, and the type of the trained pipeline."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.language import Language

from bert_ner.calibration.fit import TEMPERATURES, Prediction
from bert_ner.calibration.outcomes import Outcomes


@dataclass(frozen=True)
class Trained:
    """A trained pipeline with adapters.

    nlp (Language): The pipeline; a test does not change it.
    folder (Path): Its folder.
    data (Path): Folder of a corpus with enough mentions for a calibration.
    small (Path): Folder of a corpus with too few.
    """

    nlp: Language
    folder: Path
    data: Path
    small: Path


def make_outcomes(pairs: list[tuple[float, bool]], gold: int = 10) -> Outcomes:
    """Make mentions from pairs of confidence and correctness."""
    return Outcomes(
        np.array([p for p, _ in pairs]), np.array([c for _, c in pairs], dtype=bool), gold
    )


def make_predictions(count: int, *, sharpness: float, unseen_right: float) -> list[Prediction]:
    """Make mentions with given errors of confidence, of which every second is unseen.

    count (int): Number of mentions.
    sharpness (float): Factor of their logits: above 1, they are too confident.
    unseen_right (float): Factor of the probability that an unseen mention is correct.
    """
    generator = np.random.default_rng(2)
    rows = []
    for i in range(count):
        logit = generator.normal(2, 1.5)
        seen = i % 2 == 0
        truth = 1 / (1 + np.exp(-logit)) * (1.0 if seen else unseen_right)
        at = [1 / (1 + np.exp(-sharpness * logit / t)) for t in (1.0, *TEMPERATURES)]
        text = "Oslo" if seen else f"Name{i}"
        right = bool(generator.random() < truth)
        rows.append(Prediction(i // 5, text, "LOC", 1, right, at[0], tuple(at[1:])))
    return rows
