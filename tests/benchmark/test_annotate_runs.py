"""Annotation runs are watched, killed and resumed."""

import sys
from pathlib import Path

import pytest

from bert_ner.benchmark import annotate_runs
from bert_ner.benchmark.annotate_runs import AnnotateRun, run_killed, run_to_end
from bert_ner.errors import InputError

# Writes a journal after each record, and resumes.
PROGRAM = """
import json, pathlib, sys, time
records, pipeline, output = sys.argv[1], sys.argv[3], pathlib.Path(sys.argv[5])
journal = output.with_name(output.name + ".progress")
done = json.loads(journal.read_text())["progress"]["records"] if journal.exists() else 0
for line in open(records).readlines()[done:]:
    with output.open("a") as file:
        file.write(line)
    done += 1
    partial = journal.with_suffix(".partial")
    partial.write_text(json.dumps({"progress": {"records": done}}))
    partial.replace(journal)
    time.sleep(0.05)
"""


def make_run(folder: Path, program: str) -> AnnotateRun:
    records = folder / "records.jsonl"
    records.write_text("".join(f"{i}\n" for i in range(20)))
    command = (sys.executable, "-c", program)
    return AnnotateRun(command, folder / "pipeline", records, folder / "out.jsonl")


def test_a_run_is_watched_to_its_end(tmp_path: Path) -> None:
    run = make_run(tmp_path, PROGRAM)
    result = run_to_end(run)
    assert run.count_records() == run.count_done() == 20
    assert run.output.read_text() == run.records.read_text()
    assert 1 <= result.seconds < 10
    assert 1 <= len(result.memory_mb) <= 10
    assert min(result.memory_mb) > 1


def test_a_run_is_killed_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate_runs, "JITTER", 0.01)
    run = make_run(tmp_path, PROGRAM)
    killed_at = run_killed(run, 2, seed=1)
    assert len(killed_at) == 2
    assert all(0 < done <= 20 for done in killed_at)
    assert run.count_done() == 20
    assert {int(line) for line in run.output.read_text().split()} == set(range(20))


def test_a_run_that_fails(tmp_path: Path) -> None:
    run = make_run(tmp_path, "import sys; print('first'); sys.exit('out of paper')")
    with pytest.raises(InputError, match="annotation failed: out of paper"):
        run_to_end(run)
    assert run.count_done() == 0
