"""The plan of a training is read directly: nothing is trained here."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.training.encoders import Encoder
from bert_ner.training.plan import TrainingPlan, plan_training
from bert_ner.training.recipe import read_recipe
from tests.conftest import ROOT


def plan(
    data: Path, encoder: Encoder, *, epochs: int | None = 1, seed: int = 1, gpu: int = -1
) -> TrainingPlan:
    return plan_training(
        read_recipe(ROOT / "configs" / "config.cfg"),
        corpus=CORPORA["conll2003"],
        data=data,
        encoder=encoder,
        epochs=epochs,
        seed=seed,
        gpu=gpu,
    )


def test_a_plan_on_a_gpu(data: Path, tiny: Encoder) -> None:
    planned = plan(data, tiny, epochs=20, seed=3, gpu=0)
    assert planned.overrides == {
        "paths.train": str(data / "train.spacy"),
        "paths.dev": str(data / "dev.spacy"),
        "system.seed": 3,
        "system.gpu_allocator": "pytorch",
        "components.transformer.model.name": str(tiny.path),
        "components.transformer.model.mixed_precision": True,
        "training.optimizer.learn_rate.initial_rate": 2e-4,
        "training.optimizer.learn_rate.total_steps": 20,
        "training.optimizer.learn_rate.warmup_steps": 2,
        "training.max_steps": 20,
        "training.max_epochs": 0,
        "training.eval_frequency": 1,
        "training.patience": 6,
    }
    assert planned.half_precision
    assert planned.notices == ["20 epochs of 1 steps, seed 3"]
    assert (planned.source.corpus, planned.gpu) == ("conll2003", 0)


def test_a_small_corpus_is_read_often(
    data: Path, tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.training.recipe.computes_bfloat16", lambda: False)
    planned = plan(data, tiny, epochs=None)
    assert planned.overrides["training.max_steps"] == 300
    assert planned.overrides["training.eval_frequency"] == 15  # 300 epochs of one step
    assert planned.overrides["training.patience"] == 100
    assert not planned.half_precision
    assert len(planned.notices) == 1


def test_the_config_of_a_plan_is_complete(data: Path, tiny: Encoder) -> None:
    config = plan(data, tiny, epochs=4).config()
    assert config["paths"]["train"] == str(data / "train.spacy")
    assert config["corpora"]["train"]["path"] == "${paths.train}"
    assert config["training"]["max_steps"] == 4
    assert config["training"]["dropout"] == 0.1


def test_missing_case_segments_are_a_notice(data: Path, tiny: Encoder, tmp_path: Path) -> None:
    path = shutil.copytree(tiny.path, tmp_path / "encoder")
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "type_vocab_size": 0}))
    planned = plan(data, replace(tiny, path=path))
    assert planned.overrides["components.transformer.model.case_segments"] is False
    assert planned.notices[1] == "tiny has no segment table: it trains without case segments"


def test_a_missing_corpus_is_named(tiny: Encoder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.spacy: not found"):
        plan(tmp_path, tiny)
