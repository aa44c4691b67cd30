from pathlib import Path

import pytest
import spacy

from bert_ner.calibration.threshold import pick, pick_threshold, write_pipeline
from bert_ner.errors import InputError
from tests.calibration.helpers import Trained, make_outcomes


def test_the_threshold_is_half_way_between_two_mentions() -> None:
    outcomes = make_outcomes([(0.31234, False), (0.45678, True), (0.8, True), (0.95, True)])
    threshold = pick(outcomes, 1.0)
    assert threshold == (0.31234 + 0.45678) / 2
    assert outcomes.above(threshold) == {"precision": 1.0, "recall": 0.3, "kept": 0.75}
    assert pick(make_outcomes([(0.2, True), (0.4, True)]), 1.0) == 0.1


def test_a_precision_that_is_out_of_reach_is_an_error() -> None:
    with pytest.raises(InputError, match=r"no threshold reaches it on dev; the best is 0\.5000"):
        pick(make_outcomes([(0.5, True), (0.9, False)]), 0.9)


def test_the_threshold_of_a_pipeline_is_measured_on_dev_and_test(trained: Trained) -> None:
    threshold = pick_threshold(trained.folder, trained.small, 0.9)
    assert threshold.value > 0
    assert [effect.split for effect in threshold.effects] == ["dev", "test"]
    for effect in threshold.effects:  # the splits are those of train
        assert effect.without == {"precision": 1.0, "recall": 1.0, "kept": 1.0}
        assert effect.above == effect.without


def test_a_pipeline_without_confidence_is_refused(trained: Trained, ruler: Path) -> None:
    with pytest.raises(InputError, match="no entity on dev has a confidence"):
        pick_threshold(ruler, trained.small, 0.9)


def test_a_copy_of_the_pipeline_gets_the_threshold(trained: Trained, tmp_path: Path) -> None:
    write_pipeline(trained.folder, tmp_path / "strict", 0.375)
    assert spacy.load(tmp_path / "strict").get_pipe("ner").min_confidence == 0.375
    assert spacy.load(trained.folder).get_pipe("ner").min_confidence == 0.0


def test_a_pipeline_without_the_setting_is_refused(ruler: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.cfg: no component has a min_confidence"):
        write_pipeline(ruler, tmp_path / "strict", 0.5)
    assert not (tmp_path / "strict").exists()


def test_the_pipeline_s_own_threshold_is_ignored(trained: Trained, tmp_path: Path) -> None:
    write_pipeline(trained.folder, tmp_path / "strict", 1.0)
    threshold = pick_threshold(tmp_path / "strict", trained.small, 0.9)
    assert threshold == pick_threshold(trained.folder, trained.small, 0.9)
