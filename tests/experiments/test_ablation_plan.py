from pathlib import Path

import pytest
from spacy import util

from bert_ner.errors import InputError
from bert_ner.experiments.ablation_plan import Plan, read_plan
from tests.conftest import ROOT
from tests.experiments.helpers import PLAN

SWITCH = '[[switches]]\nname = "x"\ngroup = ""\nabout = ""\n'


def test_every_switch_of_the_plan_fits_its_recipe() -> None:
    plan = read_plan(ROOT / "configs" / "ablation.toml")
    assert plan.switches[0].name == "default"
    for switch in plan.switches:
        recipe = ROOT / f"configs/{switch.recipe}.cfg"
        config = util.load_config(recipe)
        for key in switch.overrides:  # spaCy accepts a misspelt key silently
            *sections, name = key.split(".")
            section = config
            for part in sections:
                section = section[part]
            assert name in section, key
        changed = util.load_config(recipe, overrides=switch.overrides)
        assert changed != config or not switch.overrides


def test_removed_switches_are_described_and_not_measured() -> None:
    plan = read_plan(ROOT / "configs" / "ablation.toml")
    assert {switch.name for switch in plan.removed} == {"word-dropout", "word-dropout-softmax"}
    assert not {switch.name for switch in plan.switches} & {s.name for s in plan.removed}


def test_keys_with_dots_are_overrides(plan: Plan) -> None:
    default, crf, frozen = plan.switches
    assert (default.name, default.overrides) == ("default", {})
    assert crf.overrides == {"components.ner.model.decoder": "crf"}
    assert frozen.overrides == {"components.transformer.model.frozen_layers": 0}
    assert (frozen.recipe, frozen.against, frozen.rate) == ("config", "default", 1.0)


def test_a_switch_is_selected_with_the_switch_that_it_is_compared_with(plan: Plan) -> None:
    assert [switch.name for switch in plan.select([])] == ["default", "crf", "frozen"]
    assert [switch.name for switch in plan.select(["frozen"])] == ["default", "frozen"]
    with pytest.raises(InputError, match="--only y: not a switch"):
        plan.select(["crf", "y"])


def test_settings_of_a_budget_have_no_description(plan: Plan) -> None:
    every = {"train": 2, "dev": 1, "test": 1}
    assert plan.budget("small").settings() == {"every": every, "epochs": 2}
    with pytest.raises(InputError, match="--budget big: expected one of small"):
        plan.budget("big")


def test_a_budget_can_name_its_switches() -> None:
    """GMB measures part-of-speech embeddings alone, and its records keep their settings."""
    gmb = read_plan(ROOT / "configs" / "ablation.toml").budget("gmb-small")
    assert gmb.only == ["pos"]
    assert "only" not in gmb.settings()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("seeds = [", "not valid TOML"),
        ("seeds = [1]", "not an ablation plan"),
        ("seeds = [1]\nswitches = 1", "not an ablation plan"),
        (PLAN + SWITCH.replace("x", "crf"), "two switches have the name crf"),
        (PLAN + SWITCH + 'against = "y"\n', "unknown switch y"),
        (PLAN + SWITCH + 'agianst = "crf"\n', r"switches\.3\.agianst: Extra inputs"),
        (PLAN + "[[switches]]\nname = 1\n", "not an ablation plan"),
        (PLAN.replace("epochs = 2", "epochs = 0"), r"budgets\.small\.epochs: .* greater than 0"),
        (PLAN.replace(", test = 1", ""), "every: needs train, dev and test"),
    ],
)
def test_a_wrong_plan_is_explained(tmp_path: Path, plan: str, message: str) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    with pytest.raises(InputError, match=message):
        read_plan(tmp_path / "plan.toml")
