"""Recipes from files and from papers, and the overrides that fit them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.training.encoders import Encoder
from bert_ner.training.recipe import (
    Recipe,
    fit_encoder,
    fit_machine,
    paper_recipe,
    read_recipe,
)
from tests.conftest import ROOT

PAPERS = ROOT / "configs" / "papers.toml"


def read(name: str = "config") -> Recipe:
    return read_recipe(ROOT / "configs" / f"{name}.cfg")


def write_paper(folder: Path, override: str) -> Path:
    """Write a description of one paper next to the configs. Returns its path."""
    configs = shutil.copytree(ROOT / "configs", folder / "configs")
    (configs / "papers.toml").write_text(
        '[a]\ntitle = "A"\nabout = []\ncorpus = "gmb"\nbase = "config"\nencoder = "big"\n'
        f"[a.overrides]\n{override}\n"
    )
    return configs / "papers.toml"


def test_overrides_change_a_copy() -> None:
    recipe = read()
    assert recipe.name == "config"
    assert recipe.encoder == "bert-base-cased"
    changed = recipe.complete({"system.seed": 7, "paths.train": "t.spacy"})
    assert changed["training"]["seed"] == "${system.seed}"
    assert recipe.interpolate({"system.seed": 7})["training"]["seed"] == 7
    assert recipe.config["system"]["seed"] == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[nlp\n", None])
def test_a_broken_recipe_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.cfg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.cfg: cannot be used"):
        read_recipe(path)


def test_a_recipe_without_the_sections_of_an_override_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.cfg").touch()
    with pytest.raises(InputError, match=r"empty\.cfg: cannot be used"):
        read_recipe(tmp_path / "empty.cfg").interpolate({"paths.train": "x"})


def test_a_paper_changes_its_base() -> None:
    config = paper_recipe("conll2003_bert_large", PAPERS).config
    assert config["components"]["transformer"]["model"]["name"] == "bert-large-uncased"
    assert config["components"]["ner"]["model"]["hidden_width"] == 1024
    # a table replaces a section, and gets the defaults of its function
    batcher = {"@batchers": "spacy.batch_by_sequence.v1", "size": 16, "get_length": None}
    assert config["training"]["batcher"] == batcher
    assert config["corpora"]["train"]["path"] == "${paths.train}"


def test_a_paper_replaces_no_other_section(tmp_path: Path) -> None:
    paper = paper_recipe("a", write_paper(tmp_path, '"training.dropout" = 0.3')).config
    expected = read().config
    expected["training"]["dropout"] = 0.3
    expected["components"]["transformer"]["model"]["name"] = "big"
    assert paper == expected


@pytest.mark.parametrize("key", ["training.droput", "training.x.y", "nothing"])
def test_an_override_of_no_setting_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=rf"papers\.toml: a: config\.cfg has no setting {key}"):
        paper_recipe("a", write_paper(tmp_path, f'"{key}" = 0.3'))


def test_a_small_encoder_gets_a_higher_learning_rate(tiny: Encoder) -> None:
    overrides = fit_encoder(read().interpolate({}), tiny)
    assert overrides == {
        "components.transformer.model.name": str(tiny.path),
        "training.optimizer.learn_rate.initial_rate": 2e-4,
    }


def test_an_encoder_without_segment_table_trains_without_case_segments(
    tiny: Encoder, tmp_path: Path
) -> None:
    path = shutil.copytree(tiny.path, tmp_path / "encoder")
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "type_vocab_size": 0}))
    recipe, without = read().interpolate({}), replace(tiny, path=path)
    assert fit_encoder(recipe, without)["components.transformer.model.case_segments"] is False
    transition = read("transition").interpolate({})
    assert "components.transformer.model.case_segments" not in fit_encoder(transition, without)


@pytest.mark.parametrize(
    ("recipe", "bfloat16", "half"),
    [("config", True, True), ("config", False, False), ("transition", True, False)],
)
def test_a_cpu_with_bfloat16_trains_in_it(
    recipe: str, bfloat16: bool, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.training.recipe.computes_bfloat16", lambda: bfloat16)
    overrides = fit_machine(read(recipe).interpolate({}), -1)
    assert overrides == ({"components.transformer.model.mixed_precision": True} if half else {})
