"""Measure what each switch of a recipe is worth, and write docs/ablation.md."""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from thinc.api import Config

from ..corpora.registry import Name
from ..corpora.sources import load_source
from ..devices import choose_gpu, describe_machine
from ..errors import InputError
from ..files import read_json, read_toml, replacing, write_json
from ..training.encoders import resolve
from .ablation_table import render

DEFAULT = "default"
WATCHES = ("logger", "score_weights")  # of a recipe's training, and do not change what it learns
SETTINGS = {"name", "group", "about", "recipe", "against", "rate"}  # else an override


@dataclass(frozen=True)
class Switch:
    """One change to a recipe, and what it is measured against."""

    name: str
    group: str
    about: str
    overrides: dict[str, Any]
    recipe: str = "config"
    against: str = DEFAULT
    rate: float = 1.0


@dataclass(frozen=True)
class Plan:
    """All that an ablation measures."""

    seeds: list[int]
    budgets: dict[str, dict[str, Any]]
    switches: list[Switch]


def read_plan(path: Path) -> Plan:
    """Read configs/ablation.toml.

    path (Path): The file.
    RETURNS (Plan): Its contents, the default first.
    RAISES (InputError): What is wrong with it.
    """
    given = read_toml(path)
    try:
        switches = [Switch(DEFAULT, "", "The recipe as it is.", {})]
        for entry in given["switches"]:
            settings = {key: value for key, value in entry.items() if key in SETTINGS}
            overrides = {key: value for key, value in entry.items() if key not in SETTINGS}
            switches.append(Switch(**settings, overrides=overrides))
        plan = Plan(given["seeds"], given["budgets"], switches)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not an ablation's plan: {error}.") from error
    names = [switch.name for switch in plan.switches]
    if unknown := {s.against for s in plan.switches} - set(names):
        raise InputError(f"{path}: measured against what is not there: {', '.join(unknown)}.")
    if len(set(names)) < len(names):
        raise InputError(f"{path}: two switches have one name.")
    return plan


def measure(
    plan: Plan,
    *,
    budget: str,
    data: Path,
    configs: Path,
    results: Path,
    encoder: str,
    gpu_id: str,
    only: list[str],
    minutes: float | None = None,
    jobs: int = 1,
) -> None:
    """Make every run that is not there yet, seed by seed, so that any stop leaves pairs.

    plan (Plan): What to measure.
    budget (str): The budget's name.
    data (Path): The folder of the converted corpus.
    configs (Path): The folder of recipes.
    results (Path): The folder of results, one JSON file a run.
    encoder (str): See `bert_ner.training.encoders.resolve`.
    gpu_id (str): See `bert_ner.devices.choose_gpu`.
    only (list[str]): Names of switches, all if empty. What they are measured against
        is run, too.
    minutes (float | None): Begin no run after this time.
    jobs (int): How many runs to make at a time. Small encoders make better use of two
        cores in two runs than in one.
    """
    gpu = choose_gpu(gpu_id)
    conditions = _conditions(plan.budgets[budget], data, encoder, gpu)
    todo = [
        (seed, switch, {**conditions, "switch": _settings(switch, configs)})
        for seed in plan.seeds
        for switch in _chosen(plan, only)
    ]
    missing = [run for run in todo if not _is_done(_path(results, run[1].name, run[0]), run[2])]
    print(f"{len(todo) - len(missing)} of {len(todo)} runs are there already", flush=True)
    began = time.perf_counter()
    took: list[float] = []

    def make(run: tuple[int, Switch, dict[str, Any]]) -> None:
        seed, switch, settings = run
        started = time.perf_counter()
        if minutes is not None and started - began > 60 * minutes:
            return
        found = _run(
            jobs,
            config=str(configs / f"{switch.recipe}.cfg"),
            overrides=switch.overrides,
            rate=switch.rate,
            data=str(data),
            budget=plan.budgets[budget],
            seed=seed,
            encoder=encoder,
            gpu=gpu,
        )
        record = {"switch": switch.name, "seed": seed, "settings": settings, **found}
        write_json(_path(results, switch.name, seed), record)
        took.append(time.perf_counter() - started)
        left = median(took) * (len(missing) - len(took)) / jobs / 60
        f1 = 100 * found["scores"]["test"]["f1"]
        print(f"{switch.name}, seed {seed}: test F1 {f1:.2f}; {left:.0f} minutes left", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            list(pool.map(make, missing))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if len(took) < len(missing):
        print(f"stopped after {minutes:g} minutes; the same command goes on from here")


def _chosen(plan: Plan, only: list[str]) -> list[Switch]:
    """The switches of these names, and what they are measured against; all if none is named."""
    against = {switch.against for switch in plan.switches if switch.name in only}
    return [s for s in plan.switches if not only or s.name in {*only, *against}]


def _conditions(budget: dict[str, Any], data: Path, encoder: str, gpu: int) -> dict[str, Any]:
    """What all runs of an ablation share; only runs that share it are compared."""
    source = load_source(data / "source.json")
    return {
        "budget": {k: v for k, v in budget.items() if k != "about"},
        "encoder": resolve(encoder, gpu=gpu >= 0).name,
        "source": source.title,
        "files": _hash(source.files),
        "machine": describe_machine(gpu),
    }


def _path(results: Path, switch: str, seed: int) -> Path:
    return results / f"{switch}-seed{seed}.json"


def _settings(switch: Switch, configs: Path) -> dict[str, Any]:
    """What makes a switch's run what it is; a result made with other settings is made anew."""
    recipe = Config().from_disk(configs / f"{switch.recipe}.cfg", interpolate=False)
    for component in recipe["components"].values():
        component.pop("scorer", None)
    training = {k: v for k, v in recipe["training"].items() if k not in WATCHES}
    made_of = _hash([recipe["nlp"], recipe["components"], recipe["corpora"], training])
    return {"overrides": switch.overrides, "recipe": [switch.recipe, made_of], "rate": switch.rate}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def _is_done(path: Path, settings: dict[str, Any]) -> bool:
    return path.exists() and bool(read_json(path).get("settings") == settings)


def _run(jobs: int, **arguments: Any) -> dict[str, Any]:
    """Make one run in a process of its own, with its share of the cores."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    result = subprocess.run(
        [sys.executable, "-m", "bert_ner.experiments.ablation_run"],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    if result.returncode:
        raise InputError(f"a run failed: {(result.stderr or result.stdout).strip()[-2000:]}")
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    budget: Annotated[str, typer.Option(help='"small", or "full" for a GPU.')] = "small",
    only: Annotated[list[str] | None, typer.Option(help="A switch; may be repeated.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Begin no run after this time.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time, on a CPU.")] = 1,
    plan: Annotated[Path, typer.Option(help="What to measure.")] = Path("configs/ablation.toml"),
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path(
        "docs/results/ablation"
    ),
    page: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/ablation.md"),
    encoder: Annotated[str, typer.Option(help="As for training.")] = "auto",
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Measure each switch against the default, and write a table. Goes on where it stopped."""
    read = read_plan(plan)
    if budget not in read.budgets:
        raise InputError(f"--budget {budget}: expected one of {', '.join(read.budgets)}.")
    if unknown := set(only or []) - {switch.name for switch in read.switches}:
        raise InputError(f"--only {', '.join(unknown)}: not a switch of {plan}.")
    for split in ("train", "dev", "test"):
        if not (data / corpus / f"{split}.spacy").exists():
            raise InputError(f"{data / corpus / split}.spacy: not found. Convert the corpus first.")
    measure(
        read,
        budget=budget,
        data=data / corpus,
        configs=plan.parent,
        results=results / corpus / budget,
        encoder=encoder,
        gpu_id=gpu_id,
        only=only or [],
        minutes=minutes,
        jobs=jobs,
    )
    with replacing(page) as partial:
        partial.write_text(render(read.switches, read.budgets, results), encoding="utf-8")
    print(page)
