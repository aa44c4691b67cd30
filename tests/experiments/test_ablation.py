"""The plan, the table, and a run on a tiny corpus."""

from pathlib import Path
from typing import Any

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.experiments.ablation import Switch, _settings, measure, read_plan
from bert_ner.experiments.ablation_run import read_splits
from bert_ner.experiments.ablation_table import gain, render, verdict
from bert_ner.files import read_json, write_json
from tests.conftest import ROOT

PLAN = """
seeds = [1, 2]
[budgets.small]
about = "a test"
every = { train = 2, dev = 1, test = 1 }
epochs = 2
[[switches]]
name = "crf"
group = "Decoder"
about = "A CRF."
"components.ner.model.decoder" = "crf"
[[switches]]
name = "frozen"
group = "Freezing"
about = "Frozen embeddings."
"components.transformer.model.frozen_layers" = 0
"""


def test_every_switch_of_the_plan_fits_its_recipe() -> None:
    from spacy import util

    plan = read_plan(ROOT / "configs" / "ablation.toml")
    assert plan.switches[0].name == "default"
    for switch in plan.switches:
        recipe = ROOT / f"configs/{switch.recipe}.cfg"
        given = util.load_config(recipe)
        for key in switch.overrides:  # spaCy takes a misspelt one without a word
            *sections, name = key.split(".")
            section = given
            for part in sections:
                section = section[part]
            assert name in section, key
        assert util.load_config(recipe, overrides=switch.overrides) != given or not switch.overrides


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("seeds = [", "not valid TOML"),
        ("seeds = [1]", "not an ablation's plan"),
        (PLAN + '[[switches]]\nname = "crf"\ngroup = ""\nabout = ""\n', "two switches"),
        (
            PLAN + '[[switches]]\nname = "x"\ngroup = ""\nabout = ""\nagainst = "y"\n',
            "not there: y",
        ),
        (PLAN + "[[switches]]\nname = 1\n", "not an ablation's plan"),
    ],
)
def test_a_wrong_plan_is_explained(tmp_path: Path, plan: str, message: str) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    with pytest.raises(InputError, match=message):
        read_plan(tmp_path / "plan.toml")


def run(test_f1: float) -> dict[str, Any]:
    scores = {"f1": test_f1, "labels": {"LOC": {"f1": test_f1}}}
    return {
        "settings": {key: key for key in ("budget", "encoder", "source", "files", "machine")},
        "sentences": {"train": 10},
        "epochs": 1,
        "steps": 5,
        "scores": {"dev": scores, "test": scores},
        "trained_parameters": 1000,
        "processor_seconds_per_epoch": 10.0,
        "peak_memory_mb": 1024,
    }


def test_a_claim_takes_three_pairs_beyond_two_standard_errors() -> None:
    base = {seed: run(f1) for seed, f1 in enumerate((0.5, 0.6, 0.7), start=1)}
    better = {seed: run(r["scores"]["test"]["f1"] + 0.1) for seed, r in base.items()}
    better[1] = run(0.61)
    assert verdict(*gain(better, base)) == "**better**"
    assert verdict(*gain(base, better)) == "**worse**"
    mixed = {1: run(0.4), 2: run(0.65), 3: run(0.71)}
    assert verdict(*gain(mixed, base)) == "cannot tell at this budget"
    assert verdict(*gain({1: better[1], 2: better[2]}, base)) == "too few runs (2 of 3)"
    pairs, difference, error = gain(better, base)
    assert pairs == 3
    assert difference == pytest.approx((11 + 10 + 10) / 3)
    assert error == pytest.approx(1 / 3)


def test_runs_under_other_conditions_are_no_pair() -> None:
    base, other = run(0.5), run(0.6)
    other["settings"] = {**other["settings"], "source": "built-in sample"}
    assert gain({1: other}, {1: base}) == (0, 0.0, None)


def test_page_pairs_runs_by_seed(tmp_path: Path) -> None:
    folder = tmp_path / "conll2003" / "small"
    for name, f1 in (("default", 0.5), ("crf", 0.7)):
        write_json(folder / f"{name}-seed1.json", {"switch": name, "seed": 1, **run(f1)})
    switches = [Switch("default", "", "", {}), Switch("crf", "Decoder", "A CRF.", {})]
    page = render(switches, {"small": {"about": "a test"}}, tmp_path)
    assert (
        "| `crf` | 1 | 70.00 | 70.00 | `default` | +20.00 | too few runs (1 of 3) | 70.0 |" in page
    )
    assert "**Decoder: `crf`.** A CRF. +20.00 points" in page


def test_the_page_is_that_of_the_committed_results() -> None:
    plan = read_plan(ROOT / "configs" / "ablation.toml")
    page = render(plan.switches, plan.budgets, ROOT / "docs" / "results" / "ablation")
    assert page == (ROOT / "docs" / "ablation.md").read_text()


def test_a_budget_takes_a_share_of_documents_and_labels(assets: Path, tmp_path: Path) -> None:
    convert_corpus(CORPORA["conll2003"], assets, tmp_path)
    every = {"train": 4, "dev": 2, "test": 1}
    own = read_splits(tmp_path, {"every": every})
    assert {split: len(docs) for split, docs in own.items()} == {"train": 4, "dev": 3, "test": 6}
    assert {ent.label_ for doc in own["test"] for ent in doc.ents} == {"PER", "LOC", "MISC", "ORG"}
    once = {"train": 1, "dev": 1, "test": 1}
    budget = {"every": once, "labels": ["LOC", "PER"], "random_test": 0.25}
    mixed = read_splits(tmp_path, budget)
    assert len(mixed["test"]) == 7
    assert sum(map(len, mixed.values())) == 16 + 6 + 6
    mixed_docs = [doc for docs in mixed.values() for doc in docs]
    all_docs = [d for docs in read_splits(tmp_path, {"every": once}).values() for d in docs]
    assert {doc.text for doc in mixed_docs} == {doc.text for doc in all_docs}
    assert {ent.label_ for doc in mixed_docs for ent in doc.ents} == {"LOC", "PER"}
    again = read_splits(tmp_path, budget)
    assert [doc.text for doc in again["test"]] == [doc.text for doc in mixed["test"]]


def test_runs_are_made_once_and_anew_where_settings_changed(
    assets: Path, tmp_path: Path, encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert_corpus(CORPORA["conll2003"], assets, tmp_path / "corpus" / "conll2003")
    (tmp_path / "plan.toml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.toml")
    settings: dict[str, Any] = dict(
        budget="small",
        data=tmp_path / "corpus" / "conll2003",
        configs=ROOT / "configs",
        results=tmp_path / "results",
        encoder=str(encoder),
        gpu_id="-1",
        only=["frozen"],
    )
    measure(plan, **settings, minutes=0.0001)
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["default-seed1.json"]
    assert "goes on from here" in capsys.readouterr().out
    measure(plan, **settings, jobs=2)
    made = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "results").iterdir()}
    assert len(made) == 4
    default, frozen = (
        read_json(tmp_path / "results" / f"{name}-seed1.json") for name in ("default", "frozen")
    )
    assert default["documents"] == {"train": 8, "dev": 6, "test": 6}
    assert default["trained_parameters"] > frozen["trained_parameters"] > 0
    measure(plan, **settings)
    assert "4 of 4 runs are there already" in capsys.readouterr().out
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "results").iterdir()} == made
    plan.budgets["small"]["epochs"] = 1
    measure(plan, **{**settings, "only": ["default"]})
    changed = {
        p.name for p in (tmp_path / "results").iterdir() if p.stat().st_mtime_ns != made[p.name]
    }
    assert changed == {"default-seed1.json", "default-seed2.json"}


def test_only_what_changes_the_training_makes_a_run_anew(tmp_path: Path) -> None:
    given = (ROOT / "configs" / "config.cfg").read_text()
    watched = "# Another word on it.\n" + given.replace("spacy.ConsoleLogger.v3", "my.logger.v1")
    made = []
    for text in (given, watched, given.replace("L2 = 0.01", "L2 = 0.02")):
        (tmp_path / "config.cfg").write_text(text)
        made.append(_settings(Switch("default", "", "", {}), tmp_path))
    assert made[0] == made[1] != made[2]
