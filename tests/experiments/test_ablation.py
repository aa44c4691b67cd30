"""The measuring loop: with stubs in place of the processes that train, and once with them."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.experiments import ablation
from bert_ner.experiments.ablation import Progress, Setup, measure, switch_settings
from bert_ner.experiments.ablation_plan import Plan, Switch
from bert_ner.experiments.records import RunRequest, RunResult
from bert_ner.files import read_json
from tests.conftest import ROOT
from tests.experiments.helpers import make_record


@pytest.fixture
def setup(converted: Path, encoder: Path, tmp_path: Path) -> Setup:
    return Setup(
        data=converted,
        configs=ROOT / "configs",
        results=tmp_path / "results",
        encoder=str(encoder),
    )


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """Arguments of the processes that would have been started."""
    started: list[RunRequest] = []

    def start(request: RunRequest, *, jobs: int) -> RunResult:
        assert jobs == 1
        started.append(request)
        record = make_record(0.5)
        return {key: record[key] for key in RunResult.__required_keys__}  # type: ignore[literal-required,return-value]

    monkeypatch.setattr(ablation, "_start", start)
    return started


def files(setup: Setup) -> dict[str, int]:
    """Modification times of the records by name."""
    return {path.name: path.stat().st_mtime_ns for path in setup.results.iterdir()}


def run(plan: Plan, setup: Setup, *, only: Sequence[str] = ("frozen",)) -> list[Progress]:
    return list(measure(plan, setup, budget="small", only=only))


def with_epochs(plan: Plan, epochs: int) -> Plan:
    small = plan.budgets["small"].model_copy(update={"epochs": epochs})
    return plan.model_copy(update={"budgets": {"small": small}})


def test_runs_are_made_seed_by_seed_and_once(
    plan: Plan, setup: Setup, requests: list[RunRequest]
) -> None:
    progress = run(plan, setup)
    names = ["default-seed1", "frozen-seed1", "default-seed2", "frozen-seed2"]
    assert sorted(files(setup)) == sorted(f"{name}.json" for name in names)
    assert [f"{p.latest['switch']}-seed{p.latest['seed']}" for p in progress if p.latest] == names
    assert [(p.done, p.total) for p in progress] == [(done, 4) for done in range(5)]
    assert str(progress[0]) == "0 of 4 runs are already measured"
    assert str(progress[-1]) == "frozen, seed 2: test F1 50.00; 0 minutes left"
    assert requests[1] == {
        "config": str(ROOT / "configs" / "config.cfg"),
        "overrides": {"components.transformer.model.frozen_layers": 0},
        "rate": 1.0,
        "data": str(setup.data),
        "budget": {"every": {"train": 2, "dev": 1, "test": 1}, "epochs": 2},
        "seed": 1,
        "encoder": setup.encoder,
        "gpu": -1,
    }
    again = run(plan, setup)
    assert [str(p) for p in again] == ["4 of 4 runs are already measured"]
    assert len(requests) == 4


def test_a_run_is_repeated_if_its_settings_change(
    plan: Plan, setup: Setup, requests: list[RunRequest]
) -> None:
    run(plan, setup)
    before = files(setup)
    run(with_epochs(plan, 1), setup, only=["default"])
    changed = {name for name, time in files(setup).items() if time != before[name]}
    assert changed == {"default-seed1.json", "default-seed2.json"}
    assert len(requests) == 6


@pytest.mark.usefixtures("requests")
def test_no_run_starts_after_the_time(
    plan: Plan, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True, True, True])
    monkeypatch.setattr(ablation._Clock, "is_over", lambda _: next(answers))
    progress = list(measure(plan, setup, budget="small", only=["frozen"], minutes=1))
    assert list(files(setup)) == ["default-seed1.json"]
    assert [(p.done, p.total) for p in progress] == [(0, 4), (1, 4)]


def test_a_failed_run_stops_the_ablation(
    plan: Plan, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    def fail(request: RunRequest, *, jobs: int) -> RunResult:
        assert not started.is_set()
        started.set()
        raise InputError("a run failed: out of memory")

    monkeypatch.setattr(ablation, "_start", fail)
    with pytest.raises(InputError, match="out of memory"):
        run(plan, setup)
    assert not setup.results.exists()


def test_a_corpus_that_is_not_converted_is_named(plan: Plan, setup: Setup, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.spacy: not found"):
        run(plan, replace(setup, data=tmp_path))


def test_a_process_that_fails_is_quoted(setup: Setup) -> None:
    with pytest.raises(InputError, match=r"(?s)a run failed: .*KeyError: 'budget'"):
        ablation._start({}, jobs=1)  # type: ignore[typeddict-item]


def test_only_what_changes_the_training_repeats_a_run(tmp_path: Path) -> None:
    recipe = (ROOT / "configs" / "config.cfg").read_text()
    other_logger = "# A comment.\n" + recipe.replace("spacy.ConsoleLogger.v3", "my.logger.v1")
    settings = []
    for text in (recipe, other_logger, recipe.replace("L2 = 0.01", "L2 = 0.02")):
        (tmp_path / "config.cfg").write_text(text)
        switch = Switch(name="default", group="", about="")
        settings.append(switch_settings(switch, tmp_path))
    assert settings[0] == settings[1] != settings[2]


@pytest.mark.slow
def test_processes_measure_runs(plan: Plan, setup: Setup) -> None:
    one_seed = plan.model_copy(update={"seeds": [1]})
    run(one_seed, replace(setup, jobs=2))
    default, frozen = (
        read_json(setup.results / f"{name}-seed1.json") for name in ("default", "frozen")
    )
    assert default["documents"] == {"train": 8, "dev": 6, "test": 6}
    assert default["trained_parameters"] > frozen["trained_parameters"] > 0
    assert str(run(one_seed, setup)[0]) == "2 of 2 runs are already measured"
