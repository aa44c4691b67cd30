import copy
from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.experiments.ablation_page import Gain, gain, read_runs, render, write_page
from bert_ner.experiments.ablation_plan import Plan, RemovedSwitch, read_plan
from bert_ner.files import write_json
from tests.conftest import ROOT
from tests.experiments.helpers import make_record


def test_a_verdict_needs_three_pairs_and_more_than_two_standard_errors() -> None:
    base = {seed: make_record(f1) for seed, f1 in enumerate((0.5, 0.6, 0.7), start=1)}
    better = {
        seed: make_record(record["scores"]["test"]["f1"] + 0.1) for seed, record in base.items()
    }
    better[1] = make_record(0.61)
    assert gain(better, base).verdict == "better"
    assert gain(base, better).verdict == "worse"
    mixed = {1: make_record(0.4), 2: make_record(0.65), 3: make_record(0.71)}
    assert gain(mixed, base).verdict == "inconclusive"
    assert gain({1: better[1], 2: better[2]}, base).verdict == "too few runs (2 of 3)"
    result = gain(better, base)
    assert result.pairs == 3
    assert result.mean == pytest.approx((11 + 10 + 10) / 3)
    assert result.error == pytest.approx(1 / 3)
    assert str(result) == "+10.33 ± 0.33"


def test_runs_under_other_conditions_are_not_paired() -> None:
    base, other = make_record(0.5), copy.deepcopy(make_record(0.6))
    other["settings"]["source"] = "built-in sample"
    assert gain({1: other}, {1: base}) == Gain(0, 0.0, None)


def test_page_pairs_runs_by_seed(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "conll2003" / "small"
    for name, f1 in (("default", 0.5), ("crf", 0.7)):
        write_json(folder / f"{name}-seed1.json", make_record(f1, switch=name))
    page = render(plan, tmp_path / "results")
    assert (
        "| `crf` | 1 | 70.00 | 70.00 | `default` | +20.00 | too few runs (1 of 3) | 70.0 |" in page
    )
    assert "**Decoder: `crf`.** A CRF. +20.00 points" in page
    assert "1 pair of runs" in page
    assert "frozen" not in page
    assert "Removed switches" not in page


def test_page_shows_results_of_removed_switches(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "conll2003" / "small"
    for name, f1 in (("default", 0.5), ("old", 0.4)):
        write_json(folder / f"{name}-seed1.json", make_record(f1, switch=name))
    old = RemovedSwitch(name="old", group="Old", about="An old switch.")
    write_page(
        plan.model_copy(update={"removed": [old]}), tmp_path / "results", tmp_path / "page.md"
    )
    measured, removed = (tmp_path / "page.md").read_text().split("### Removed switches")
    assert "`old`" not in measured
    assert "| `old` | 1 | 40.00 | 40.00 | `default` | -10.00 |" in removed


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "default-seed1.json", {"switch": "default", "seed": 1})
    with pytest.raises(InputError, match=r"default-seed1\.json: not a record"):
        read_runs(tmp_path)


def test_the_page_is_that_of_the_committed_results() -> None:
    plan = read_plan(ROOT / "configs" / "ablation.toml")
    page = render(plan, ROOT / "docs" / "results" / "ablation")
    assert page == (ROOT / "docs" / "ablation.md").read_text()
