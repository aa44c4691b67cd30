"""Workers annotate as one process does, and end with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bert_ner.annotation import journal
from bert_ner.annotation.inputs import Failure, Record
from bert_ner.annotation.journal import BATCH_RECORDS
from bert_ner.annotation.options import WorkerOptions
from bert_ner.annotation.workers import BATCHES_AHEAD, Batch, annotate_batches, make_worker
from bert_ner.errors import InputError
from tests.annotation.helpers import (
    annotate_file,
    children,
    command,
    names_in,
    records_done,
    write_records,
)

PROGRAM = """
import sys
sys.modules["scripts"] = None  # here and in workers, which run this file, too

from bert_ner.annotation.inputs import Record
from bert_ner.annotation.options import WorkerOptions
from bert_ner.annotation.workers import annotate_batches

if __name__ == "__main__":
    for output in annotate_batches([[Record("a", "Oslo")]], WorkerOptions(sys.argv[1]), 2):
        print(*output, end="")
"""


def test_a_failure_takes_the_place_of_its_record(options: WorkerOptions) -> None:
    broken = Failure("in:2", "not valid JSON", "{")
    batch: Batch = [Record("in:1", "Oslo", {"spans": 1, "id": 7}), broken, Record("in:3", "\ud800")]
    first, second, third = make_worker(options)(batch)
    assert isinstance(first, str)
    assert first.startswith('{"given_spans": 1, "id": 7, "text": "Oslo", "tokens": [{')
    assert second is broken
    assert isinstance(third, Failure)
    assert (third.where, third.given) == ("in:3", '{"text": "\\ud800"}')
    assert third.error.startswith("UnicodeEncodeError: ")


def test_a_spawned_worker_gives_the_same_output(options: WorkerOptions) -> None:
    batch: Batch = [Record("in:1", "Anna Berg lives in Oslo.")]
    assert list(annotate_batches([batch], options, 2)) == [make_worker(options)(batch)]


@pytest.mark.slow
def test_workers_need_only_the_library(ruler: Path, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "main.py", str(ruler)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith('{"text": "Oslo"')


@pytest.mark.slow
def test_a_killed_worker_is_an_error_and_the_run_is_resumed(
    source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = source.with_name("out.jsonl")
    write_records(source, 20 * BATCH_RECORDS)
    annotate_file(source, source.with_name("whole.jsonl"), options)
    original = journal.Output.add

    def kill(self: Any, batch: Any) -> None:
        original(self, batch)
        if self.progress.records == 2 * BATCH_RECORDS:
            for pid in children(os.getpid()):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(journal.Output, "add", kill)
        with pytest.raises(InputError, match="a worker was killed"):
            annotate_file(source, output, options, workers=2)
    annotate_file(source, output, options, workers=2)
    assert output.read_bytes() == source.with_name("whole.jsonl").read_bytes()


@pytest.mark.slow
def test_no_more_batches_are_read_than_workers_can_take(options: WorkerOptions) -> None:
    read = 0

    def batches() -> Any:
        nonlocal read
        for _ in range(50):
            read += 1
            yield []

    outputs = annotate_batches(batches(), options, 2)
    next(outputs)
    assert read <= 2 * BATCHES_AHEAD + 2
    outputs.close()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_pipeline_that_does_not_load_is_one_error(workers: int, source: Path) -> None:
    with pytest.raises(InputError, match="nowhere: not a pipeline"):
        annotate_file(
            source, source.with_name("out.jsonl"), WorkerOptions("nowhere"), workers=workers
        )
    assert names_in(source.parent) == {"in.jsonl"}


@pytest.mark.slow
def test_workers_end_with_the_run_that_is_killed(source: Path, ruler: Path, tmp_path: Path) -> None:
    write_records(source, 200 * BATCH_RECORDS)
    output = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        command(source, "--pipeline", ruler, "--output", output, "--workers", 2)
    )
    while not records_done(output):
        assert process.poll() is None
        time.sleep(0.05)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            return
        time.sleep(0.1)
    raise AssertionError(workers)
