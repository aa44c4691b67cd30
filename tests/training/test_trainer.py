from pathlib import Path
from typing import Any

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.training.encoders import Encoder
from bert_ner.training.trainer import fit_machine, load_recipe, train_recipe
from tests.conftest import ROOT


def options(assets: Path, tmp_path: Path, encoder: Path) -> dict[str, Any]:
    return dict(
        config=ROOT / "configs" / "config.cfg",
        corpus=CORPORA["conll2003"],
        data=tmp_path / "corpus",
        output=tmp_path / "training",
        encoder=Encoder(name="tiny", path=encoder, reason="a test"),
        epochs=1,
        seed=1,
    )


def test_training_that_fails_keeps_the_last_pipeline(
    assets: Path, tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert_corpus(CORPORA["conll2003"], assets, tmp_path / "corpus")
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "kept").touch()

    def fail(config: Path, output: Path, **rest: object) -> None:
        (output / "model-last").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("bert_ner.training.trainer.spacy_train", fail)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(**options(assets, tmp_path, encoder))
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["kept"]
    assert not list(tmp_path.glob(".*"))


def test_schedule_is_as_long_as_the_run(
    assets: Path, tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert_corpus(CORPORA["conll2003"], assets, tmp_path / "corpus")
    given: dict[str, Any] = {}

    def stop(config: Path, output: Path, *, use_gpu: int, overrides: dict[str, Any]) -> None:
        given.update(overrides, use_gpu=use_gpu)
        raise KeyboardInterrupt

    monkeypatch.setattr("bert_ner.training.trainer.spacy_train", stop)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(**{**options(assets, tmp_path, encoder), "epochs": 20, "gpu": 0})
    steps = given["training.max_steps"]
    assert given["training.eval_frequency"] == 1
    assert given["training.patience"] == 6
    assert steps == given["training.optimizer.learn_rate.total_steps"] == 20
    assert given["training.optimizer.learn_rate.warmup_steps"] == 2
    assert given["training.optimizer.learn_rate.initial_rate"] == 2e-4
    assert given["system.gpu_allocator"] == "pytorch"
    assert given["components.transformer.model.mixed_precision"] is True
    assert given["use_gpu"] == 0


@pytest.mark.parametrize(
    ("recipe", "bfloat16", "half"),
    [("config", True, True), ("config", False, False), ("transition", True, False)],
)
def test_a_cpu_with_bfloat16_trains_in_it(
    recipe: str, bfloat16: bool, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.training.trainer.computes_bfloat16", lambda: bfloat16)
    config = load_recipe(ROOT / "configs" / f"{recipe}.cfg", {})
    overrides = fit_machine(config, -1)
    assert overrides == ({"components.transformer.model.mixed_precision": True} if half else {})


def test_small_corpus_is_read_often(
    assets: Path, tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert_corpus(CORPORA["conll2003"], assets, tmp_path / "corpus")
    given: dict[str, Any] = {}

    def stop(config: Path, output: Path, *, use_gpu: int, overrides: dict[str, Any]) -> None:
        given.update(overrides)
        raise KeyboardInterrupt

    monkeypatch.setattr("bert_ner.training.trainer.spacy_train", stop)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(**{**options(assets, tmp_path, encoder), "epochs": None})
    assert given["training.max_steps"] == 300
    assert given["training.eval_frequency"] == 15  # 300 epochs of one step
    assert given["training.patience"] == 100


def test_missing_corpus_is_named(assets: Path, tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(InputError, match=r"train\.spacy: not found"):
        train_recipe(**options(assets, tmp_path, encoder))
