"""Annotation at length is measured, and judged, whatever the figures."""

from pathlib import Path
from typing import Any

import pytest

from bert_ner.benchmark import soak_test
from bert_ner.benchmark.soak_test import judge, main, project
from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.files import read_json

GOOD: dict[str, Any] = {
    "memory_mb": [100, *[105] * 8, 109],
    "records": 100,
    "killed_at": [10, 40, 99],
    "equal": True,
    "complete": True,
    "ray_equal": True,
}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"memory_mb": [100, 111, *[100] * 8]}, "memory grew to 1.11 times"),
        ({"memory_mb": []}, "memory was not seen"),
        ({"killed_at": [10, 100]}, "not every kill came midway"),
        ({"killed_at": [0, 10]}, "not every kill came midway"),
        ({"killed_at": [40, 10]}, "not every kill came midway"),
        ({"ray_equal": False}, "Ray found other entities"),
        ({"equal": False}, "differs from that of one go"),
        ({"complete": False}, "lacks records or has some twice"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(change: dict[str, Any], fault: str | None) -> None:
    faults = judge(GOOD | change)
    assert len(faults) == (fault is not None)
    assert all(fault in found for found in faults if fault)


def test_the_projection_adds_what_the_second_worker_added() -> None:
    rows = [
        {"engine": engine, "workers": workers, "words_per_second": speed}
        for engine, workers, speed in (("local", 1, 9), ("ray", 1, 100), ("ray", 2, 180))
    ]
    assert project(rows)[0] == {"workers": 4, "words_per_second": 340}
    assert project([*rows[:2], {**rows[2], "words_per_second": 90}]) == []


def local(folder: Path) -> dict[int, list[dict[str, Any]]]:
    return soak_test._spans(folder / "metrics" / "scale.work" / "part-local-2")


def test_it_is_measured_and_written(
    assets: Path, ruler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("conll2003", "mit_movie"):
        convert_corpus(CORPORA[name], assets, tmp_path / "corpus" / name)
    # Ray has a test of its own, in annotating/test_cluster.py
    monkeypatch.setattr(soak_test, "RUNS", (("local", 1), ("local", 2)))
    monkeypatch.setattr(soak_test, "project", lambda _: [{"workers": 4, "words_per_second": 9}])
    monkeypatch.setattr(soak_test, "JITTER", 0.01)
    monkeypatch.setattr(soak_test, "_spans_of_ray", lambda _: local(tmp_path))
    monkeypatch.setattr(soak_test, "TENTHS", 1)
    monkeypatch.setattr(soak_test, "GROWTH", 2.0)  # a run of a second is all start
    output, page = tmp_path / "metrics" / "scale.json", tmp_path / "scale.md"
    main(ruler, tmp_path / "corpus", output, page, words=200_000, kills=2, seed=1)
    record = read_json(output)
    assert record["words"] >= 200_000
    assert len(record["killed_at"]) == 2
    assert all(0 < at <= record["records"] for at in record["killed_at"])
    assert record["equal"]
    assert record["complete"]
    assert len(record["scaling"]) == 2
    assert "every record once, and the same file byte for byte" in page.read_text(encoding="utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["scale.json"]
    monkeypatch.setattr(soak_test, "measure", lambda *_, **__: record)
    monkeypatch.setattr(soak_test, "judge", lambda _: ["it forgot"])
    with pytest.raises(InputError, match="it forgot"):
        main(ruler, tmp_path / "corpus", output, page, words=1000, kills=0, seed=1)
