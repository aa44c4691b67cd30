"""Pick min_confidence for a wanted precision, and say what it costs in recall."""

from pathlib import Path
from typing import Annotated

import typer
from thinc.api import Config
from wasabi import table

from scripts import cli
from scripts.confidence import Outcomes, outcomes, threshold_for
from scripts.errors import InputError
from scripts.evaluate import annotate
from scripts.files import replacing
from scripts.pipeline import load_examples, load_pipeline


def pick(found: Outcomes, precision: float) -> float:
    """The lowest threshold with a precision, rounded up to four digits.

    found (Outcomes): The mentions of dev.
    precision (float): What is wanted, from 0 to 1.
    RETURNS (float): The threshold.
    RAISES (InputError): If no threshold has it.
    """
    threshold = threshold_for(found, precision)
    if threshold is None:
        best = max(found.above(float(c))["precision"] for c in set(found.confidence))
        raise InputError(
            f"--precision {precision}: no threshold reaches it on dev; the best is {best:.4f}."
        )
    rounded = round(threshold, 4)
    # the threshold as it is written must not drop the mention that it was picked at
    return rounded if rounded <= threshold else round(rounded - 1e-4, 4)


def write_threshold(pipeline: Path, threshold: float) -> str:
    """Set min_confidence in a pipeline's config.cfg.

    pipeline (Path): The pipeline's folder.
    threshold (float): From 0 to 1.
    RETURNS (str): The component that it was set of.
    RAISES (InputError): If no component has such a setting.
    """
    path = pipeline / "config.cfg"
    config = Config().from_disk(path, interpolate=False)
    names = [name for name, of in config["components"].items() if "min_confidence" in of]
    if not names:
        raise InputError(f"{path}: no component has a min_confidence.")
    config["components"][names[0]]["min_confidence"] = threshold
    with replacing(path) as partial:
        config.to_disk(partial)
    return str(names[0])


def main(
    pipeline: Annotated[Path, typer.Argument(help="The finished pipeline's folder.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    precision: Annotated[float, typer.Option(min=0, max=1, help="What is wanted.")] = 0.97,
    write: Annotated[bool, typer.Option("--write", help="Set it in the pipeline.")] = False,
) -> None:
    """Pick on dev the lowest min_confidence with a precision; print its cost on dev and test."""
    nlp = load_pipeline(pipeline)
    found = {}
    for split in ("dev", "test"):
        examples = load_examples(nlp, data / f"{split}.spacy")
        annotate(nlp, examples)
        found[split] = outcomes(examples)
    dev = found["dev"]
    if dev is None:
        raise InputError(f"{pipeline}: no entity on dev, or none has a confidence.")
    threshold = pick(dev, precision)
    rows = []
    for split, of in found.items():
        for floor in (0.0, threshold):
            if of is not None:
                scores = of.above(floor)
                numbers = (f"{100 * scores[key]:.2f}" for key in ("precision", "recall"))
                rows.append((split, f"{floor:.4f}", *numbers))
    print(table(rows, header=("", "min_confidence", "P", "R"), divider=True, aligns="lrrr"))
    if write:
        name = write_threshold(pipeline, threshold)
        print(f"set in {pipeline}/config.cfg: [components.{name}] min_confidence = {threshold}")
    else:
        print(f"to use it: min_confidence = {threshold} in the pipeline's config, or --write")


if __name__ == "__main__":
    cli.run(main)
