"""Ablation: train a recipe with and without each switch of a plan, and record every run."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, cast

from thinc.api import Config

from ..corpora.sources import load_source
from ..devices import describe_machine
from ..errors import InputError
from ..files import read_json, write_json
from ..training.encoders import resolve
from .ablation_plan import Budget, Plan, Switch
from .records import (
    AblationRecord,
    Conditions,
    RunRequest,
    RunResult,
    RunSettings,
    SwitchSettings,
)

# sections of a recipe's training that do not affect the trained weights
IRRELEVANT = ("logger", "score_weights")


@dataclass(frozen=True)
class Setup:
    """Corpus, recipes, hardware and result folder of an ablation.

    data (Path): Folder of the converted corpus.
    configs (Path): Folder of recipes.
    results (Path): Folder of results, with one JSON file per run.
    encoder (str): See `bert_ner.training.encoders.resolve`.
    gpu (int): Number of the GPU, -1 for the CPU.
    jobs (int): Number of runs at the same time. Small encoders use two cores better
        in two runs than in one.
    """

    data: Path
    configs: Path
    results: Path
    encoder: str = "auto"
    gpu: int = -1
    jobs: int = 1

    def path(self, switch: Switch, seed: int) -> Path:
        """Return the path of a run's record."""
        return self.results / f"{switch.name}-seed{seed}.json"


@dataclass(frozen=True)
class Progress:
    """Progress of an ablation.

    done (int): Number of measured runs, earlier ones included.
    total (int): Number of all runs.
    latest (AblationRecord | None): The run that has just ended, None at the start.
    minutes_left (float): Estimated from the median duration of the runs so far.
    """

    done: int
    total: int
    latest: AblationRecord | None = None
    minutes_left: float = 0.0

    def __str__(self) -> str:
        if self.latest is None:
            return f"{self.done} of {self.total} runs are already measured"
        f1 = 100 * self.latest["scores"]["test"]["f1"]
        return (
            f"{self.latest['switch']}, seed {self.latest['seed']}: test F1 {f1:.2f}; "
            f"{self.minutes_left:.0f} minutes left"
        )


@dataclass(frozen=True)
class _Run:
    """A run to be made."""

    switch: Switch
    seed: int
    budget: Budget
    setup: Setup
    settings: RunSettings

    def is_measured(self) -> bool:
        """Return whether a record with the same settings exists."""
        path = self.setup.path(self.switch, self.seed)
        return path.exists() and bool(read_json(path).get("settings") == self.settings)

    def request(self) -> RunRequest:
        """Return the arguments of the process that makes the run."""
        return {
            "config": str(self.setup.configs / f"{self.switch.recipe}.cfg"),
            "overrides": self.switch.overrides,
            "rate": self.switch.rate,
            "data": str(self.setup.data),
            "budget": self.budget.settings(),
            "seed": self.seed,
            "encoder": self.setup.encoder,
            "gpu": self.setup.gpu,
        }


@dataclass
class _Clock:
    """Durations of runs, and the time after which no run starts."""

    minutes: float | None
    started: float = field(default_factory=time.perf_counter)
    durations: list[float] = field(default_factory=list)

    def is_over(self) -> bool:
        """Return whether no more runs may start."""
        passed = time.perf_counter() - self.started
        return self.minutes is not None and passed > 60 * self.minutes


def measure(
    plan: Plan,
    setup: Setup,
    *,
    budget: str,
    only: Sequence[str] = (),
    minutes: float | None = None,
) -> Iterator[Progress]:
    """Measure the runs that have no record yet, one seed after the other.

    Every switch is run with the first seed before any is run with the second, so that
    an interrupted ablation leaves complete pairs.

    plan (Plan): The plan.
    setup (Setup): Corpus, recipes, hardware and result folder.
    budget (str): Name of the budget.
    only (Sequence[str]): Names of switches, by default the budget's. The switches that they
        are compared with are run as well.
    minutes (float | None): Start no run after this time.
    YIELDS (Progress): The progress, at the start and after each run.
    RAISES (InputError): If a name is unknown, the corpus is not converted or a run fails.
    """
    runs = _plan_runs(plan, setup, plan.budget(budget), only)
    missing = [run for run in runs if not run.is_measured()]
    done = len(runs) - len(missing)
    yield Progress(done, len(runs))
    clock = _Clock(minutes)
    pool = ThreadPoolExecutor(setup.jobs)
    try:
        for future in as_completed([pool.submit(_measure, run, clock) for run in missing]):
            if (record := future.result()) is not None:
                done += 1
                left = median(clock.durations) * (len(runs) - done) / setup.jobs / 60
                yield Progress(done, len(runs), record, left)
    finally:
        pool.shutdown(cancel_futures=True)


def _plan_runs(plan: Plan, setup: Setup, budget: Budget, only: Sequence[str]) -> list[_Run]:
    """List all runs of an ablation, seed by seed."""
    switches = plan.select(only or budget.only)
    for split in ("train", "dev", "test"):
        if not (path := setup.data / f"{split}.spacy").exists():
            raise InputError(f"{path}: not found. Convert the corpus first.")
    shared = _conditions(budget, setup)
    return [
        _Run(
            switch,
            seed,
            budget,
            setup,
            {**shared, "switch": switch_settings(switch, setup.configs)},
        )
        for seed in plan.seeds
        for switch in switches
    ]


def _measure(run: _Run, clock: _Clock) -> AblationRecord | None:
    """Make a run and write its record. Returns None if the time is over."""
    if clock.is_over():
        return None
    started = time.perf_counter()
    result = _start(run.request(), jobs=run.setup.jobs)
    record: AblationRecord = {
        "switch": run.switch.name,
        "seed": run.seed,
        "settings": run.settings,
        **result,
    }
    write_json(run.setup.path(run.switch, run.seed), record)
    clock.durations.append(time.perf_counter() - started)
    return record


def _start(request: RunRequest, *, jobs: int) -> RunResult:
    """Make a run in a new process, with its share of the cores."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    process = subprocess.run(
        [sys.executable, "-m", "bert_ner.experiments.ablation_run"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    if process.returncode:
        message = (process.stderr or process.stdout).strip()[-2000:]
        raise InputError(f"a run failed: {message}")
    return cast(RunResult, json.loads(process.stdout.splitlines()[-1]))


def _conditions(budget: Budget, setup: Setup) -> Conditions:
    source = load_source(setup.data / "source.json")
    return {
        "budget": budget.settings(),
        "encoder": resolve(setup.encoder, gpu=setup.gpu >= 0).name,
        "source": source.title,
        "files": _hash(source.files),
        "machine": describe_machine(setup.gpu),
    }


def switch_settings(switch: Switch, configs: Path) -> SwitchSettings:
    """Collect the settings that affect a switch's run. A run is repeated if they change.

    switch (Switch): The switch.
    configs (Path): Folder of recipes.
    RETURNS (SwitchSettings): Its overrides and rate, and a hash of its recipe.
    """
    recipe = Config().from_disk(configs / f"{switch.recipe}.cfg", interpolate=False)
    for component in recipe["components"].values():
        component.pop("scorer", None)
    training = {k: v for k, v in recipe["training"].items() if k not in IRRELEVANT}
    digest = _hash([recipe["nlp"], recipe["components"], recipe["corpora"], training])
    return {
        "overrides": switch.overrides,
        "recipe": [switch.recipe, digest],
        "rate": switch.rate,
    }


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
