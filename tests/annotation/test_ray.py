"""Ray Data annotates as one process does, also if a worker is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bert_ner.annotation import ray
from bert_ner.annotation.inputs import find_files
from bert_ner.annotation.options import WorkerOptions
from bert_ner.annotation.ray import Annotator, annotate_on_cluster
from bert_ner.annotation.to_file import annotate_to_file
from bert_ner.errors import InputError
from tests.annotation.helpers import command

RECORDS = 12_000
FAILING = {77: None, 9_000: "x" * 1_000_001}


def write(path: Path) -> None:
    texts = [FAILING.get(i, "Anna Berg lives in Oslo. " * (i % 7)) for i in range(RECORDS)]
    pq.write_table(pa.table({"id": range(RECORDS), "text": texts, "spans": texts}), path)


def rows(folder: Path) -> list[Any]:
    return [row for path in folder.iterdir() for row in pq.read_table(path).to_pylist()]


def kill_one_at_work(process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes()
            except OSError:
                continue
            if b"MapBatches(Annotator)" in command and b".submit" in command:
                os.kill(int(path.parent.name), signal.SIGKILL)
                return
        time.sleep(0.005)
    raise AssertionError("no worker was seen at work")


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(ruler: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.parquet", tmp_path / "out"
    write(source)
    options = WorkerOptions(str(ruler))
    annotate_to_file(find_files(source, None), tmp_path / "out.jsonl", options=options)
    arguments = (source, "--pipeline", ruler, "--engine", "ray", "--workers", 2)
    process = subprocess.Popen(
        command(*arguments, "--output", output), stdout=-1, stderr=-1, text=True
    )
    kill_one_at_work(process)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err  # records failed
    assert len(list(output.iterdir())) >= 2 * ray.BLOCKS_PER_WORKER  # for both workers
    assert f"{output}: {RECORDS - 2:,} records annotated" in out
    expected = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    by_id = sorted(rows(output), key=lambda row: int(row["id"]))
    for row, local in zip(by_id, map(json.loads, expected), strict=True):
        assert row["error"] is None
        spans = [{k: v for k, v in span.items() if v is not None} for span in row["spans"]]
        assert spans == local["spans"]
        assert row["tokens"] == local["tokens"]
        assert row["given_spans"] == row["text"]
        assert (row["id"], row["text"]) == (local["id"], local["text"])
    errors = {row["id"]: row["error"] for row in rows(tmp_path / "out.failed")}
    assert errors.keys() == FAILING.keys()
    assert errors[77] == "ValueError: has no text"
    assert errors[9_000].startswith("ValueError: [E088] Text of length")


def test_a_batch_without_entities_has_the_same_columns(ruler: Path) -> None:
    annotate = Annotator(WorkerOptions(str(ruler)), "body")
    tables = [annotate(pa.table({"body": texts})) for texts in (["rain"], ["Oslo"], [None])]
    assert len({str(table.schema.remove(0)) for table in tables}) == 1
    assert [table.column("failed").to_pylist() for table in tables] == [[False], [False], [True]]


def test_unsuitable_inputs_and_outputs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}', encoding="utf-8")
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "a.parquet")
    options: Any = {"options": WorkerOptions("p")}
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        with pytest.raises(InputError, match="Ray is not installed"):
            annotate_on_cluster([], tmp_path / "o", **options)
    monkeypatch.setattr(ray, "_import_ray", lambda: None)
    with pytest.raises(InputError, match=r"a\.jsonl: is not Parquet"):
        annotate_on_cluster(find_files(tmp_path / "a.jsonl", None), tmp_path / "o", **options)
    with pytest.raises(InputError, match='expected a column "text", found body'):
        annotate_on_cluster(find_files(tmp_path / "a.parquet", None), tmp_path / "o", **options)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("keep", encoding="utf-8")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    sources = find_files(tmp_path / "a.parquet", None)
    for name in ("precious", "a.jsonl"):
        with pytest.raises(InputError, match=f"{name}: already exists"):
            annotate_on_cluster(sources, tmp_path / name, **options)
    with pytest.raises(InputError, match="nowhere: not a pipeline"):
        annotate_on_cluster(sources, tmp_path / "o", options=WorkerOptions("nowhere"))
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "a.parquet", "precious"}
    assert (tmp_path / "precious" / "thesis.txt").read_text(encoding="utf-8") == "keep"
