"""The finishing step on a trained tiny pipeline."""

from pathlib import Path

import numpy as np
import pytest
import spacy

from bert_ner.calibration.finish import finish
from bert_ner.calibration.fit import LEAST_MENTIONS, Prediction, apply, fit, log_loss, out_of_fold
from bert_ner.calibration.threshold import main as threshold_main
from bert_ner.calibration.threshold import pick, write_pipeline
from bert_ner.errors import InputError
from bert_ner.loading import keep_encodings
from bert_ner.pipes.confidence import Calibration
from tests.calibration.test_outcomes import make
from tests.helpers import write_corpus
from tests.pipes.training import TEXTS, Build, encoder_key, found, train


def predictions(count: int, *, too_sure: float, unseen_right: float) -> list[Prediction]:
    """Mentions whose probabilities are sharper than they should be, half of them unseen."""
    generator = np.random.default_rng(2)
    rows = []
    for i in range(count):
        logit = generator.normal(2, 1.5)
        seen = i % 2 == 0
        truth = 1 / (1 + np.exp(-logit)) * (1.0 if seen else unseen_right)
        at = [1 / (1 + np.exp(-too_sure * logit / t)) for t in (1.0, *np.geomspace(0.8, 4.0, 15))]
        text = "Oslo" if seen else f"Name{i}"
        right = bool(generator.random() < truth)
        rows.append(Prediction(i // 5, text, "LOC", 1, right, at[0], tuple(at[1:])))
    return rows


def test_calibration_finds_the_temperature_and_the_price_of_the_unseen() -> None:
    seen = Calibration().with_seen([("Oslo", "LOC")])
    sharp = predictions(6000, too_sure=3.0, unseen_right=1.0)
    chosen = fit(sharp, seen)
    assert 3.0 / chosen.temperature * chosen.slope == pytest.approx(1.0, abs=0.12)
    assert abs(chosen.unseen) < 0.25
    poor = predictions(6000, too_sure=1.0, unseen_right=0.7)
    assert fit(poor, seen).unseen < -0.8
    correct = np.array([p.correct for p in poor])
    before = log_loss(np.array([p.plain for p in poor]), correct)
    assert log_loss(apply(fit(poor, seen), poor), correct) < before
    assert log_loss(out_of_fold(poor, seen), correct) < before


def test_few_mentions_move_the_weights_little() -> None:
    chosen = fit(predictions(4, too_sure=1.0, unseen_right=0.0), Calibration())
    assert abs(chosen.bias) < 2
    assert abs(chosen.unseen) < 2


def test_finish_calibrates_and_merges_adapters(build: Build, tmp_path: Path) -> None:
    nlp = build(**{encoder_key("lora_rank"): 4})
    train(nlp, steps=60)
    nlp.to_disk(tmp_path / "model-best")
    data = write_corpus(nlp, tmp_path / "data", times=LEAST_MENTIONS // 4 + 1)
    record = finish(tmp_path / "model-best", data, tmp_path / "pipeline")
    assert record["merged_adapters"] == 3
    assert record["calibration"]["mentions"] >= LEAST_MENTIONS
    assert set(record["calibration"]["ece"]) == {"before", "temperature", "after", "out_of_fold"}
    finished = spacy.load(tmp_path / "pipeline")
    calibration = finished.get_pipe("ner").calibration
    assert calibration.temperature == record["calibration"]["temperature"]
    assert len(calibration.seen) == 4
    before, after = (found(pipeline, TEXTS) for pipeline in (nlp, finished))
    assert [[m[:2] for m in row] for row in before] == [[m[:2] for m in row] for row in after]
    assert finished.config["components"]["transformer"]["model"]["lora_rank"] == 0
    assert finished("Anna Berg lives in Oslo .")._.trf_data is None
    assert nlp("Anna Berg lives in Oslo .")._.trf_data is not None
    keep_encodings(finished)
    assert finished("Anna Berg lives in Oslo .")._.trf_data is not None
    assert not any(
        "lora" in name for name in finished.get_pipe("transformer").model.transformer.state_dict()
    )


def test_a_pipeline_without_probabilities_stays_as_it_is(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "model-best")
    data = write_corpus(nlp, tmp_path / "data", times=1)
    assert finish(tmp_path / "model-best", data, tmp_path / "pipeline")["calibration"] is None
    assert spacy.load(tmp_path / "pipeline").pipe_names == []


def test_a_small_dev_split_calibrates_nothing(build: Build, tmp_path: Path) -> None:
    nlp = build()
    train(nlp, steps=30)
    nlp.get_pipe("ner").calibration = Calibration(3.0)  # from elsewhere
    nlp.to_disk(tmp_path / "model-best")
    data = write_corpus(nlp, tmp_path / "data", times=2)
    record = finish(tmp_path / "model-best", data, tmp_path / "pipeline")
    assert set(record["calibration"]) == {"mentions"}
    assert spacy.load(tmp_path / "pipeline").get_pipe("ner").calibration == Calibration()


def test_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        finish(tmp_path / "nothing", tmp_path, tmp_path / "pipeline")
    assert not (tmp_path / "pipeline").exists()


def test_threshold_is_picked_and_written(build: Build, tmp_path: Path) -> None:
    outcomes = make([(0.31234, False), (0.45678, True), (0.8, True), (0.95, True)])
    threshold = pick(outcomes, 1.0)
    assert threshold == (0.31234 + 0.45678) / 2
    assert outcomes.above(threshold) == {"precision": 1.0, "recall": 0.3, "kept": 0.75}
    assert pick(make([(0.2, True), (0.4, True)]), 1.0) == 0.1
    with pytest.raises(InputError, match=r"no threshold reaches it on dev; the best is 0\.5000"):
        pick(make([(0.5, True), (0.9, False)]), 0.9)
    nlp = build()
    nlp.to_disk(tmp_path / "pipeline")
    write_pipeline(tmp_path / "pipeline", tmp_path / "strict", threshold)
    assert spacy.load(tmp_path / "strict").get_pipe("ner").min_confidence == threshold
    assert spacy.load(tmp_path / "pipeline").get_pipe("ner").min_confidence == 0.0


def test_the_threshold_command_prints_what_a_precision_costs(
    build: Build,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nlp = build()
    train(nlp, steps=40)
    nlp.to_disk(tmp_path / "pipeline")
    data = write_corpus(nlp, tmp_path / "data", times=3)
    threshold_main(tmp_path / "pipeline", data, precision=0.9, output=tmp_path / "strict")
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if line.startswith(("dev", "test"))]
    assert [row[0] for row in rows] == ["dev", "dev", "test", "test"]
    assert rows[0][2:] == ["100.00", "100.00"]
    assert spacy.load(tmp_path / "strict").get_pipe("ner").min_confidence > 0
    threshold_main(tmp_path / "pipeline", data, precision=0.9, output=None)
    assert "to use it: min_confidence =" in capsys.readouterr().out
