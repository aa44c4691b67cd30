"""The finishing step on a trained tiny pipeline."""

import json
from pathlib import Path

import pytest
import spacy

from bert_ner.calibration.finish import calibrate_pipeline
from bert_ner.calibration.fit import MIN_MENTIONS
from bert_ner.errors import InputError
from bert_ner.loading import keep_encodings, load_pipeline
from bert_ner.pipes.confidence import Calibration
from tests.calibration.helpers import Trained
from tests.helpers import write_corpus
from tests.pipes.training import TEXTS, find_entities


def test_finish_calibrates_and_merges_adapters(trained: Trained, tmp_path: Path) -> None:
    record = calibrate_pipeline(trained.folder, trained.data, tmp_path / "pipeline")
    assert json.loads((tmp_path / "pipeline" / "finish.json").read_text()) == record
    assert record["merged_adapters"] == 3
    fitted = record["calibration"]
    assert fitted is not None
    assert fitted["mentions"] >= MIN_MENTIONS
    assert set(fitted["ece"]) == {"before", "temperature", "after", "out_of_fold"}
    finished = spacy.load(tmp_path / "pipeline")
    calibration = finished.get_pipe("ner").calibration
    assert calibration.temperature == fitted["temperature"]
    assert len(calibration.seen) == 4
    before, after = (find_entities(pipeline, TEXTS) for pipeline in (trained.nlp, finished))
    assert [[m[:2] for m in row] for row in before] == [[m[:2] for m in row] for row in after]
    assert finished.config["components"]["transformer"]["model"]["lora_rank"] == 0
    assert not any(
        "lora" in name for name in finished.get_pipe("transformer").model.transformer.state_dict()
    )
    assert finished("Anna Berg lives in Oslo .")._.trf_data is None
    assert trained.nlp("Anna Berg lives in Oslo .")._.trf_data is not None
    keep_encodings(finished)
    assert finished("Anna Berg lives in Oslo .")._.trf_data is not None


def test_a_pipeline_without_probabilities_stays_as_it_is(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "model-best")
    data = write_corpus(nlp, tmp_path / "data", times=1)
    record = calibrate_pipeline(tmp_path / "model-best", data, tmp_path / "pipeline")
    assert record == {"merged_adapters": 0, "calibration": None}
    assert spacy.load(tmp_path / "pipeline").pipe_names == []


def test_a_small_dev_split_calibrates_nothing(trained: Trained, tmp_path: Path) -> None:
    nlp = load_pipeline(trained.folder)
    nlp.get_pipe("ner").calibration = Calibration(3.0)  # of another training
    nlp.to_disk(tmp_path / "model-best")
    record = calibrate_pipeline(tmp_path / "model-best", trained.small, tmp_path / "pipeline")
    assert set(record["calibration"] or {}) == {"mentions"}
    assert spacy.load(tmp_path / "pipeline").get_pipe("ner").calibration == Calibration()


def test_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"meta\.json: not found"):
        calibrate_pipeline(tmp_path / "nothing", tmp_path, tmp_path / "pipeline")
    assert not (tmp_path / "pipeline").exists()
