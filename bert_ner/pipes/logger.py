"""A training log for tables and plots."""

import json
import sys
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import IO, TypedDict

from spacy.language import Language
from spacy.util import registry


class Info(TypedDict):
    """Report of spaCy's training loop after an evaluation."""

    epoch: int
    step: int
    seconds: int
    words: int
    score: float
    losses: Mapping[str, float]
    other_scores: Mapping[str, object]


class LogLine(TypedDict):
    """One line of the log. See `make_logger`."""

    epoch: int
    step: int
    seconds: int
    words: int
    score: float
    train_loss: dict[str, float]
    dev: dict[str, float]


Log = Callable[[Info | None], None]
Setup = Callable[..., tuple[Log, Callable[[], None]]]


class LogFile:
    """A log in a JSONL file. An existing file is overwritten.

    path (Path): The file.
    losses_per_step (int): Number of losses that spaCy sums up in each step.
    """

    def __init__(self, path: Path, losses_per_step: int) -> None:
        self.path = path
        self.losses_per_step = losses_per_step
        self.steps = 0  # number of steps in the log so far
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def write(self, info: Info) -> None:
        """Append a line for an evaluation."""
        steps = info["step"] + 1  # spaCy counts from 0
        line = json.dumps(describe(info, losses=(steps - self.steps) * self.losses_per_step))
        self.steps = steps
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def make_logger(
    output_file: str | None = None,
    progress_bar: str | None = None,
    console_output: bool = True,
    also: Setup | None = None,
) -> Setup:
    """Configure a logger for `[training.logger]`.

    It prints the output of `spacy.ConsoleLogger.v3`, the speed and the remaining time, and
    writes a line of JSON for every evaluation:

        {"epoch": 1, "step": 930, "seconds": 402, "words": 378201, "score": 0.915,
         "train_loss": {"transformer": 0.0011, "ner": 0.032},
         "dev": {"ents_p": 0.913, "ents_r": 0.918, "ents_f": 0.915, ...}}

    "train_loss" is the mean over the steps since the previous line. "dev" has all
    single numbers from the components' scorers, with any weight in the recipe.

    output_file (str | None): The file to write. An existing file is overwritten.
    progress_bar (str | None): "train" or "eval", as for spaCy's logger.
    console_output (bool): Whether to print.
    also (Callable | None): An additional logger, such as `spacy.WandbLogger.v5`.
    RETURNS (Callable): The function that sets up the logger when training begins.
    """
    make_console = registry.loggers.get("spacy.ConsoleLogger.v3")
    console = make_console(progress_bar=progress_bar, console_output=console_output)

    def setup(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> tuple[Log, Callable[[], None]]:
        loggers = [make(nlp, stdout, stderr) for make in (console, also) if make]
        output = Path(output_file) if output_file else None
        return _combine(nlp, loggers, output, stdout if console_output else None)

    return setup


def _combine(
    nlp: Language,
    loggers: list[tuple[Log, Callable[[], None]]],
    output: Path | None,
    stdout: IO[str] | None,
) -> tuple[Log, Callable[[], None]]:
    """Combine other loggers with a log file and a line about the speed, both optional."""
    settings = nlp.config.interpolate()["training"]
    planned = settings.get("max_steps", 0)
    file = LogFile(output, settings.get("accumulate_gradient", 1)) if output else None

    def log(info: Info | None) -> None:
        for other, _ in loggers:
            other(info)
        if info is None:
            return
        if stdout and (text := pace(info, planned)):
            stdout.write(text + "\n")
        if file:
            file.write(info)

    def end() -> None:
        for _, end_other in loggers:
            end_other()

    return log, end


def pace(info: Info, planned: int) -> str:
    """The speed of a training, and the remaining time if it makes all planned steps.

    info (Info): The report of spaCy's training loop.
    planned (int): Number of planned steps, 0 if unknown.
    RETURNS (str): A line for people; empty before the first step.
    """
    steps, seconds = info["step"], max(info["seconds"], 1)
    if not steps:
        return ""
    minutes = (planned - steps) * seconds / steps / 60
    left = f", {minutes:.0f} minutes left" if planned > steps else ""
    return f"      {info['words'] / seconds:,.0f} words a second{left}"


def describe(info: Info, *, losses: int) -> LogLine:
    """The line of the log for an evaluation.

    info (Info): The report of spaCy's training loop.
    losses (int): Number of losses that are summed up since the previous evaluation.
    RETURNS (LogLine): The line.
    """
    return {
        "epoch": info["epoch"],
        "step": info["step"],
        "seconds": info["seconds"],
        "words": info["words"],
        "score": info["score"],
        "train_loss": {name: float(loss) / losses for name, loss in info["losses"].items()},
        "dev": {
            name: float(value)
            for name, value in info["other_scores"].items()
            if isinstance(value, Real) and name != "speed"  # words a second, not a score
        },
    }
