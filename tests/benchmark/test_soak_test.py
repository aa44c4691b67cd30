"""The soak test measures, judges and writes."""

import json
import sys
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet
import pytest

from bert_ner.benchmark import annotate_runs, soak_test
from bert_ner.benchmark.annotate_runs import AnnotateRun, RunResult
from bert_ner.benchmark.records import ScalingRow, SoakRecord
from bert_ner.benchmark.soak_test import SoakOptions, judge, project, run_soak_test, write_page
from bert_ner.files import read_json
from tests.conftest import ROOT

GOOD = {
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
        ({"memory_mb": []}, "memory was not measured"),
        ({"killed_at": [10, 100]}, "not every kill came midway"),
        ({"killed_at": [0, 10]}, "not every kill came midway"),
        ({"killed_at": [40, 10]}, "not every kill came midway"),
        ({"ray_equal": False}, "Ray found other entities"),
        ({"equal": False}, "wrote another file than the uninterrupted one"),
        ({"complete": False}, "lacks or repeats records"),
    ],
)
def test_every_fault_is_listed(change: Any, fault: str | None) -> None:
    faults = judge(cast(SoakRecord, GOOD | change))
    assert len(faults) == (fault is not None)
    assert all(fault in one for one in faults if fault)


def test_the_projection_adds_as_much_as_the_second_worker() -> None:
    rows: list[ScalingRow] = [
        {"engine": engine, "workers": workers, "words_per_second": speed}
        for engine, workers, speed in (("local", 1, 9), ("ray", 1, 100), ("ray", 2, 180))
    ]
    assert project(rows)[0] == {"workers": 4, "words_per_second": 340}
    rows[2]["words_per_second"] = 90
    assert project(rows) == []


def test_the_published_page_is_made_from_its_record(tmp_path: Path) -> None:
    write_page(read_json(ROOT / "docs" / "results" / "scale.json"), tmp_path / "page.md")
    published = ROOT / "docs" / "soak_test.md"
    assert (tmp_path / "page.md").read_text("utf-8") == published.read_text("utf-8")


def annotate(run: AnnotateRun) -> RunResult:
    """Write what `scripts.annotate` would, without a process."""
    if run.records.suffix == ".jsonl":
        run.output.write_text(run.records.read_text())
        return RunResult(2.0, [100])
    rows = pa.parquet.read_table(run.records).to_pylist()
    if "ray" in run.options:
        run.output.mkdir()
        spans = [{"start": 0, "score": None}]
        table = pa.table({"id": [row["id"] for row in rows], "spans": [spans] * len(rows)})
        pa.parquet.write_table(table, run.output / "part.parquet")
    else:
        lines = [json.dumps({"id": row["id"], "spans": [{"start": 0}]}) for row in rows]
        run.output.write_text("\n".join(lines))
    return RunResult(4.0 - int(run.options[-1]), [100])


def test_the_record_has_all_measurements(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(run: AnnotateRun, kills: int, seed: int) -> list[int]:
        annotate(run)
        return list(range(seed, seed + kills))

    monkeypatch.setattr(soak_test, "run_to_end", annotate)
    monkeypatch.setattr(soak_test, "run_killed", kill)
    output, page = tmp_path / "metrics" / "scale.json", tmp_path / "soak_test.md"
    options = SoakOptions(pipeline=Path("ruler"), corpus=corpus, words=2000, kills=2, seed=3)
    record = run_soak_test(("annotate",), options, output, page)
    assert read_json(output) == record
    assert list(record) == list(read_json(ROOT / "docs" / "results" / "scale.json"))
    assert record["words"] >= 2000
    assert record["killed_at"] == [3, 4]
    assert record["equal"]
    assert record["complete"]
    assert record["ray_equal"]
    assert [(row["engine"], row["workers"]) for row in record["scaling"]] == list(soak_test.RUNS)
    assert record["scaling"][1]["words_per_second"] > record["scaling"][0]["words_per_second"]
    assert len(record["projection"]) == 3
    assert [path.name for path in output.parent.iterdir()] == ["scale.json"]
    assert "every record once, and the same file byte for byte" in page.read_text("utf-8")


def local_spans(folder: Path) -> object:
    return soak_test._local_spans(folder / "metrics" / "scale.work" / "part-local-2")


@pytest.mark.slow
def test_the_soak_test_with_processes(
    corpus: Path, ruler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ray has its own test, tests/annotation/test_ray.py
    monkeypatch.setattr(soak_test, "RUNS", (("local", 2),))
    monkeypatch.setattr(soak_test, "project", lambda _: [{"workers": 4, "words_per_second": 9}])
    monkeypatch.setattr(soak_test, "_ray_spans", lambda _: local_spans(tmp_path))
    monkeypatch.setattr(annotate_runs, "JITTER", 0.01)
    output, page = tmp_path / "metrics" / "scale.json", tmp_path / "soak_test.md"
    options = SoakOptions(pipeline=ruler, corpus=corpus, words=50_000, kills=2)
    command = (sys.executable, "-W", "ignore", "-m", "scripts.annotate")
    record = run_soak_test(command, options, output, page)
    assert record["words"] >= 50_000
    assert len(record["killed_at"]) == 2
    assert all(0 < done <= record["records"] for done in record["killed_at"])
    assert record["equal"]
    assert record["complete"]
    assert record["memory_mb"]
    assert len(record["scaling"]) == 1
    assert [path.name for path in output.parent.iterdir()] == ["scale.json"]
