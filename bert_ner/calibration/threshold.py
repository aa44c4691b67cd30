"""Pick min_confidence for a wanted precision, and say what it costs in recall."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from thinc.api import Config
from wasabi import table

from ..errors import InputError
from ..evaluation.scoring import annotate
from ..files import replacing
from ..loading import load_examples, load_pipeline
from .outcomes import Outcomes, outcomes, threshold_for


def pick(found: Outcomes, precision: float) -> float:
    """The lowest threshold with a precision.

    It lies half-way between the last mention that it keeps and the first that it
    drops, so that a difference in the last digits changes nothing.

    found (Outcomes): The mentions of dev.
    precision (float): What is wanted, from 0 to 1.
    RETURNS (float): The threshold.
    RAISES (InputError): If no threshold has it.
    """
    lowest = threshold_for(found, precision)
    if lowest is None:
        best = max(found.above(float(c))["precision"] for c in set(found.confidence))
        raise InputError(
            f"--precision {precision}: no threshold reaches it on dev; the best is {best:.4f}."
        )
    below = found.confidence[found.confidence < lowest]
    return (lowest + float(below.max(initial=0.0))) / 2


def write_pipeline(pipeline: Path, output: Path, threshold: float) -> None:
    """Copy a pipeline, with min_confidence set in its config.cfg.

    pipeline (Path): The pipeline's folder.
    output (Path): The folder to write. It appears whole or not at all.
    threshold (float): From 0 to 1.
    RAISES (InputError): If no component has such a setting.
    """
    config = Config().from_disk(pipeline / "config.cfg", interpolate=False)
    names = [name for name, of in config["components"].items() if "min_confidence" in of]
    if not names:
        raise InputError(f"{pipeline}/config.cfg: no component has a min_confidence.")
    config["components"][names[0]]["min_confidence"] = threshold
    with replacing(output) as partial:
        shutil.copytree(pipeline, partial)
        config.to_disk(partial / "config.cfg")


def main(
    pipeline: Annotated[Path, typer.Argument(help="The finished pipeline's folder.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    precision: Annotated[float, typer.Option(min=0, max=1, help="What is wanted.")] = 0.97,
    output: Annotated[
        Path | None, typer.Option(help="Write the pipeline with the threshold to this folder.")
    ] = None,
) -> None:
    """Pick on dev the lowest min_confidence with a precision; print its cost on dev and test."""
    nlp = load_pipeline(pipeline)
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "min_confidence"):
            pipe.min_confidence = 0.0
    found: dict[str, Outcomes] = {}
    for split in ("dev", "test"):
        examples = load_examples(nlp, data / f"{split}.spacy")
        annotate(nlp, examples, split)
        of = outcomes(examples)
        if of is None:
            raise InputError(f"{pipeline}: no entity on {split} has a confidence.")
        found[split] = of
    threshold = pick(found["dev"], precision)
    rows = []
    for split, of in found.items():
        for floor in (0.0, threshold):
            scores = of.above(floor)
            numbers = (f"{100 * scores[key]:.2f}" for key in ("precision", "recall"))
            rows.append((split, f"{floor:.4f}", *numbers))
    print(
        table(
            rows, header=("", "min_confidence", "P", "R"), divider=True, aligns=("l", "r", "r", "r")
        )
    )
    if output:
        write_pipeline(pipeline, output, threshold)
        print(output)
    else:
        print(f"to use it: min_confidence = {threshold:.4f} in the pipeline's config, or --output")
