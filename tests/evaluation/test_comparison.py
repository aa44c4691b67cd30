"""Comparison of runs."""

from pathlib import Path
from typing import Any, cast

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.comparison import (
    SeedRun,
    compare_runs,
    conditions,
    read_seed_runs,
    summarize_seeds,
)
from bert_ner.evaluation.records import Metrics, SourceRecord, SplitReport
from bert_ner.files import write_json
from bert_ner.loading import PipelineTraining

PATH = Path("other.json")
TRAINING: PipelineTraining = {"recipe": "config", "encoder": "tiny", "epochs": 4, "seed": 1}
SOURCE = cast(SourceRecord, {"title": "News", "files": {"a": "b"}})
Json = dict[str, Any]
RUN: Json = {
    "schema": 1,
    "pipeline": "en_news",
    "trained_on": "News",
    "training": TRAINING,
    "source": SOURCE,
    "scores": {"test": {"f1": 0.8}},
    "splits": {"test": {"documents": [[1, 2, 2], [3, 3, 4]]}},
}


def test_runs_on_the_same_documents_are_compared() -> None:
    test = cast(SplitReport, {"documents": [[2, 2, 2], [4, 4, 4]]})
    compared = compare_runs(test, cast(Metrics, RUN), PATH)
    assert compared["name"] == "en_news, recipe config"
    assert compared["f1"] == 1.0
    assert compared["difference"] == pytest.approx(1 - 2 * 4 / 11)
    other = cast(SplitReport, {"documents": [[2, 2, 2], [4, 4, 5]]})
    with pytest.raises(InputError, match=r"other\.json: cannot be compared with: the two runs"):
        compare_runs(other, cast(Metrics, RUN), PATH)
    with pytest.raises(InputError, match=r"other\.json: not the metrics of a run"):
        compare_runs(test, cast(Metrics, {"schema": 1}), PATH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {**TRAINING, "seed": 1}}, "two runs have the same seed: 1, 1"),
        ({"training": {**TRAINING, "recipe": "pos", "seed": 2}}, "the recipe config, found pos"),
        ({"training": {**TRAINING, "seed": None}}, "not the metrics of a run"),
        ({"training": {**TRAINING, "seed": 2}, "trained_on": "X"}, "the training corpus News"),
        ({"source": {**SOURCE, "files": {}}}, "expected the test files"),
        ({"scores": {}}, "not the metrics of a run"),
    ],
)
def test_only_the_seed_may_differ(tmp_path: Path, change: Json, message: str) -> None:
    own = conditions(TRAINING, "News", SOURCE)
    path = tmp_path / "run.json"
    write_json(path, {**RUN, "training": {**TRAINING, "seed": 3}})
    assert read_seed_runs([path], own, 1) == [SeedRun(3, 80.0)]
    write_json(path, {**RUN, **change})
    with pytest.raises(InputError, match=message):
        read_seed_runs([path], own, 1)


def test_seeds_are_summarized() -> None:
    assert summarize_seeds([SeedRun(1, 80.0)]) is None
    seeds = summarize_seeds([SeedRun(1, 80.0), SeedRun(2, 82.0)])
    assert seeds == {
        "runs": 2,
        "mean": 81.0,
        "sd": pytest.approx(2**0.5),
        "seeds": [1, 2],
        "f1": [80.0, 82.0],
    }
