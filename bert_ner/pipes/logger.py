"""A log of a training that a table and a plot can be made of."""

import json
import sys
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry

Log = Callable[[dict[str, Any] | None], None]
Setup = Callable[..., tuple[Log, Callable[[], None]]]


def make_logger(
    output_file: str | None = None,
    progress_bar: str | None = None,
    console_output: bool = True,
    also: Setup | None = None,
) -> Setup:
    """Configure a logger for `[training.logger]`.

    It prints what `spacy.ConsoleLogger.v3` prints, and how fast it is and how long
    the rest takes, and writes a line of JSON at every evaluation:

        {"epoch": 1, "step": 930, "seconds": 402, "words": 378201, "score": 0.915,
         "train_loss": {"transformer": 0.0011, "ner": 0.032},
         "dev": {"ents_p": 0.913, "ents_r": 0.918, "ents_f": 0.915, ...}}

    A training loss is the mean over the steps since the line before. Under "dev"
    is every single number that the components' scorers give, whether or not
    the recipe weighs it.

    output_file (str | None): The file to write; one that is there is written over.
    progress_bar (str | None): "train" or "eval", as for spaCy's logger.
    console_output (bool): Whether to print.
    also (Callable | None): Another logger beside it, such as `spacy.WandbLogger.v5`.
    RETURNS (Callable): What spaCy sets up when a training begins.
    """
    make_console = registry.loggers.get("spacy.ConsoleLogger.v3")
    console = make_console(progress_bar=progress_bar, console_output=console_output)

    def setup(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> tuple[Log, Callable[[], None]]:
        logs, ends = zip(
            *(make(nlp, stdout, stderr) for make in (console, also) if make), strict=True
        )
        file = Path(output_file) if output_file else None
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("", encoding="utf-8")
        settings = nlp.config.interpolate()["training"]
        steps = settings.get("max_steps", 0)
        logged = 0  # steps
        # of each of which spaCy adds up so many losses
        parts = settings.get("accumulate_gradient", 1)

        def log(info: dict[str, Any] | None) -> None:
            nonlocal logged
            for log_elsewhere in logs:
                log_elsewhere(info)
            if console_output and info is not None and (said := pace(info, steps)):
                stdout.write(said + "\n")
            if file and info is not None:
                made = info["step"] + 1  # spaCy counts steps from 0
                line = json.dumps(describe(info, losses=(made - logged) * parts))
                logged = made
                with file.open("a", encoding="utf-8") as stream:
                    stream.write(line + "\n")

        def end() -> None:
            for end_elsewhere in ends:
                end_elsewhere()

        return log, end

    return setup


def pace(info: dict[str, Any], steps: int) -> str:
    """How fast a training is, and how long the rest takes if nothing ends it before.

    info (dict[str, Any]): What spaCy's training loop says.
    steps (int): All steps, 0 if that is not planned.
    RETURNS (str): For people; empty at the very beginning.
    """
    made, seconds = info["step"], max(info["seconds"], 1)
    if not made:
        return ""
    left = f", {(steps - made) * seconds / made / 60:.0f} minutes left" if steps > made else ""
    return f"      {info['words'] / seconds:,.0f} words a second{left}"


def describe(info: dict[str, Any], *, losses: int) -> dict[str, Any]:
    """What is logged of an evaluation.

    info (dict[str, Any]): What spaCy's training loop says.
    losses (int): How many losses it has added up since the last evaluation.
    RETURNS (dict[str, Any]): The line of the log.
    """
    scores = {
        name: float(value)
        for name, value in info["other_scores"].items()
        if isinstance(value, Real) and name != "speed"  # words a second, which is no score
    }
    return {
        **{name: info[name] for name in ("epoch", "step", "seconds", "words", "score")},
        "train_loss": {name: float(loss) / losses for name, loss in info["losses"].items()},
        "dev": scores,
    }
