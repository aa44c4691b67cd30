"""Picks `min_confidence` for a required precision, and measures the loss in recall."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from thinc.api import Config

from ..errors import InputError
from ..evaluation.records import ThresholdScores
from ..evaluation.scoring import annotate
from ..files import replacing
from ..loading import find_confidence_pipe, load_examples, load_pipeline
from .outcomes import Outcomes, outcomes, threshold_for


@dataclass(frozen=True)
class ThresholdEffect:
    """Scores of a split without and with a threshold.

    split (str): "dev" or "test".
    without (ThresholdScores): Scores of all mentions.
    above (ThresholdScores): Scores of the mentions that reach the threshold.
    """

    split: str
    without: ThresholdScores
    above: ThresholdScores


@dataclass(frozen=True)
class PickedThreshold:
    """A threshold and its effect on dev and test.

    value (float): The threshold, from 0 to 1.
    effects (list[ThresholdEffect]): The scores of each split.
    """

    value: float
    effects: list[ThresholdEffect]


def pick_threshold(pipeline: Path, data: Path, precision: float) -> PickedThreshold:
    """Pick on dev the lowest min_confidence that reaches a precision.

    pipeline (Path): The finished pipeline.
    data (Path): Folder of the converted corpus. Only dev and test are read.
    precision (float): The required precision, from 0 to 1.
    RETURNS (PickedThreshold): The threshold and its effect.
    RAISES (InputError): If no threshold reaches the precision, or no entity has a
        confidence.
    """
    nlp = load_pipeline(pipeline)
    if pipe := find_confidence_pipe(nlp):
        pipe.min_confidence = 0.0
    splits: dict[str, Outcomes] = {}
    for split in ("dev", "test"):
        mentions = _predict(nlp, data / f"{split}.spacy")
        if mentions is None:
            raise InputError(f"{pipeline}: no entity on {split} has a confidence.")
        splits[split] = mentions
    value = pick(splits["dev"], precision)
    effects = [
        ThresholdEffect(split, mentions.above(0.0), mentions.above(value))
        for split, mentions in splits.items()
    ]
    return PickedThreshold(value, effects)


def _predict(nlp: Language, path: Path) -> Outcomes | None:
    examples = load_examples(nlp, path)
    annotate(nlp, examples, path.stem)
    return outcomes(examples)


def pick(mentions: Outcomes, precision: float) -> float:
    """Pick the lowest threshold that reaches a precision.

    The threshold is half-way between the confidences of the last mention that it keeps
    and the first that it drops, so a difference in the last digits changes nothing.

    mentions (Outcomes): The mentions of dev.
    precision (float): The required precision, from 0 to 1.
    RETURNS (float): The threshold.
    RAISES (InputError): If no threshold reaches the precision.
    """
    lowest = threshold_for(mentions, precision)
    if lowest is None:
        best = max(mentions.above(float(c))["precision"] for c in set(mentions.confidence))
        raise InputError(
            f"--precision {precision}: no threshold reaches it on dev; the best is {best:.4f}."
        )
    below = mentions.confidence[mentions.confidence < lowest]
    return (lowest + float(below.max(initial=0.0))) / 2


def write_pipeline(pipeline: Path, output: Path, threshold: float) -> None:
    """Copy a pipeline, with min_confidence set in its config.cfg.

    pipeline (Path): The pipeline's folder.
    output (Path): Output folder. It appears complete or not at all.
    threshold (float): From 0 to 1.
    RAISES (InputError): If no component has such a setting.
    """
    config = Config().from_disk(pipeline / "config.cfg", interpolate=False)
    components = config["components"].items()
    names = [name for name, settings in components if "min_confidence" in settings]
    if not names:
        raise InputError(f"{pipeline}/config.cfg: no component has a min_confidence.")
    config["components"][names[0]]["min_confidence"] = threshold
    with replacing(output) as partial:
        shutil.copytree(pipeline, partial)
        config.to_disk(partial / "config.cfg")
