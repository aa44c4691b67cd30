"""Comparison of a run with another run, and with runs that differ only in their seed."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import mean, stdev
from typing import cast

import numpy as np

from ..errors import InputError
from ..loading import PipelineTraining
from .records import Comparison, Metrics, Scores, Seeds, SourceRecord, SplitReport, read_metrics
from .significance import difference

NO_RUN = "not the metrics of a run. Evaluate that run again, with --page."


@dataclass(frozen=True)
class SeedRun:
    """Seed and F1, in points, of a run. None is an unknown seed."""

    seed: int | None
    f1: float


def compare_runs(test: SplitReport, other: Metrics, path: Path) -> Comparison:
    """Compare the F1 on test with that of another run.

    test (SplitReport): Our measurements of test.
    other (Metrics): The metrics of the other run.
    path (Path): The other run's file, for errors.
    RETURNS (Comparison): The difference and its p-value.
    RAISES (InputError): If the other run was not scored on the same documents.
    """
    try:
        theirs = other["splits"]["test"]["documents"]
        recipe = other["training"]["recipe"]
        name = other["pipeline"] + (f", recipe {recipe}" if recipe else "")
        return {"name": name, **difference(np.array(test["documents"]), np.array(theirs))}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {NO_RUN}") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be compared with: {error}.") from error


@dataclass(frozen=True)
class Conditions:
    """Everything that is equal in runs that differ only in their seed."""

    recipe: str | None
    encoder: str | None
    epochs: int | None
    training_corpus: str
    test_corpus: str
    test_files: dict[str, str]


def conditions(training: PipelineTraining, trained_on: str, source: SourceRecord) -> Conditions:
    """Collect the conditions of a run.

    training (PipelineTraining): Facts about the training.
    trained_on (str): The title of the training corpus.
    source (SourceRecord): The source of the test corpus.
    RETURNS (Conditions): The conditions.
    """
    return Conditions(
        recipe=training["recipe"],
        encoder=training["encoder"],
        epochs=training["epochs"],
        training_corpus=trained_on,
        test_corpus=source["title"],
        test_files=source["files"],
    )


def read_seed_runs(paths: Sequence[Path], own: Conditions, seed: int | None) -> list[SeedRun]:
    """Read runs that differ from a run only in their seed.

    paths (Sequence[Path]): The metrics files of the runs.
    own (Conditions): The conditions of the run itself.
    seed (int | None): Its seed.
    RETURNS (list[SeedRun]): The runs in the order of the files.
    RAISES (InputError): If a run differs in anything else, or if two runs have the same
        seed.
    """
    runs = [_read_seed_run(path, own) for path in paths]
    seeds = [seed, *(run.seed for run in runs)]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--run: two runs have the same seed: {', '.join(map(str, seeds))}.")
    return runs


def _read_seed_run(path: Path, own: Conditions) -> SeedRun:
    run = read_metrics(path)
    try:
        theirs = conditions(run["training"], run["trained_on"], run["source"])
        seed, f1 = operator.index(cast(int, run["training"]["seed"])), f1_of(run)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {NO_RUN}") from error
    for field in fields(own):
        expected, value = getattr(own, field.name), getattr(theirs, field.name)
        if value != expected:
            name = field.name.replace("_", " ")
            raise InputError(f"{path}: expected the {name} {expected}, found {value}.")
    return SeedRun(seed, f1)


def f1_of(run: Scores) -> float:
    """Look up the F1 on test, in points."""
    return 100 * float(run["scores"]["test"]["f1"])


def summarize_seeds(runs: list[SeedRun]) -> Seeds | None:
    """Summarize runs that differ only in their seed; None if there is only one."""
    if len(runs) < 2:
        return None
    f1 = [run.f1 for run in runs]
    seeds = [run.seed for run in runs]
    return {"runs": len(runs), "mean": mean(f1), "sd": stdev(f1), "seeds": seeds, "f1": f1}
