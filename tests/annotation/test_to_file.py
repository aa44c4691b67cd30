"""A resumed output is that of an uninterrupted run, and nothing is lost."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bert_ner.annotation import journal
from bert_ner.annotation.journal import BATCH_RECORDS
from bert_ner.annotation.options import FormatName, WorkerOptions
from bert_ner.errors import InputError
from bert_ner.files import write_json
from tests.annotation.helpers import (
    annotate_file,
    command,
    names_in,
    read_lines,
    records_done,
    run,
    write_records,
)


def test_each_record_is_written_once_with_its_fields(source: Path, options: WorkerOptions) -> None:
    output = source.with_name("out.jsonl")
    progress = annotate_file(source, output, options)
    rows = read_lines(output)
    failures = read_lines(output.with_name("out.jsonl.failed.jsonl"))
    assert [row["id"] for row in rows] == [
        i for i in range(3 * BATCH_RECORDS + 10) if i not in (5, 2 * BATCH_RECORDS)
    ]
    assert [row["where"] for row in failures] == ["in.jsonl:6", f"in.jsonl:{2 * BATCH_RECORDS + 1}"]
    assert {row["given"] for row in failures} == {"{broken"}
    assert (progress.records, progress.failed) == (3 * BATCH_RECORDS + 10, 2)
    assert names_in(source.parent) == {"in.jsonl", "out.jsonl", "out.jsonl.failed.jsonl"}
    for row in rows:
        for span in row["spans"]:
            assert row["text"][span["start"] : span["end"]] in ("Anna Berg", "Oslo")
            assert row["tokens"][span["token_start"]]["start"] == span["start"]
            assert row["tokens"][span["token_end"]]["end"] == span["end"]


def interrupt_at(call: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that raises KeyboardInterrupt at one of its calls."""
    calls = 0

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    return interrupted


@pytest.mark.parametrize("step", ["write", "save", "finish", "rename"])
def test_a_run_interrupted_anywhere_is_resumed(
    step: str, source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate_file(source, source.with_name("whole.jsonl"), options)
    output = source.with_name("out.jsonl")
    with monkeypatch.context() as patch:
        if step == "write":  # the failures of the second batch, after its annotations
            patch.setattr(journal, "_append", interrupt_at(4, journal._append))
        elif step == "save":
            patch.setattr(journal, "write_json", interrupt_at(3, write_json))
        elif step == "finish":
            patch.setattr(journal.Output, "finish", interrupt_at(1, journal.Output.finish))
        else:
            patch.setattr(Path, "replace", interrupt_at(7, Path.replace))  # after the journals'
        with pytest.raises(KeyboardInterrupt):
            annotate_file(source, output, options)
    assert not output.exists() or step == "rename"
    assert output.with_name("out.jsonl.progress").exists()
    annotate_file(source, output, options)
    assert output.read_bytes() == source.with_name("whole.jsonl").read_bytes()
    failed = (source.with_name(f"{name}.jsonl.failed.jsonl") for name in ("out", "whole"))
    assert len({path.read_bytes() for path in failed}) == 1
    assert not any("progress" in name or "partial" in name for name in names_in(source.parent))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_killed_three_times_gives_the_output_of_one_run(
    workers: int, ruler: Path, tmp_path: Path, options: WorkerOptions
) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_records(source, 40 * BATCH_RECORDS, broken=(7,))
    annotate_file(source, tmp_path / "whole.jsonl", options)
    arguments = (source, "--pipeline", ruler, "--output", output, "--workers", workers)
    done = 0
    for at in (3, 11, 25):
        process = subprocess.Popen(
            command(*arguments), start_new_session=True, stderr=subprocess.PIPE
        )
        while process.poll() is None and done < at * BATCH_RECORDS:
            done = records_done(output)
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not output.exists()
        assert done < 40 * BATCH_RECORDS
    ended = run(*arguments)
    assert ended.returncode == 1  # a record failed
    assert "1 records failed" in ended.stderr
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(read_lines(output)) == 40 * BATCH_RECORDS - 1


def leave_unfinished(
    source: Path, output: Path, options: WorkerOptions, patch: pytest.MonkeyPatch
) -> None:
    """Run until all records are done, and stop before the end."""
    with patch.context() as patched:
        patched.setattr(journal.Output, "finish", interrupt_at(1, journal.Output.finish))
        with pytest.raises(KeyboardInterrupt):
            annotate_file(source, output, options)


def test_a_run_with_other_options_or_input_is_refused(
    source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = source.with_name("out.jsonl")
    leave_unfinished(source, output, options, monkeypatch)
    other = replace(options, format=FormatName.CONLL)
    with pytest.raises(InputError, match=r"had another format\. .* --restart"):
        annotate_file(source, output, other)
    annotate_file(source, output, other, restart=True)
    assert output.read_text(encoding="utf-8").startswith("-DOCSTART- O\n")
    leave_unfinished(source, output, options, monkeypatch)
    write_records(source, 9)
    with pytest.raises(InputError, match="had another input"):
        annotate_file(source, output, options)


def test_an_input_that_grows_during_the_run_is_an_error(
    source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.annotation.to_file.count_records", lambda *_: 7)
    with pytest.raises(InputError, match="expected 7 records, read 778: the input changed"):
        annotate_file(source, source.with_name("out.jsonl"), options)
    assert not source.with_name("out.jsonl").exists()


def test_brackets_are_right_if_the_first_batch_only_fails(
    source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(source, 2 * BATCH_RECORDS, broken=tuple(range(BATCH_RECORDS)))
    output = source.with_name("out.json")
    json_options = replace(options, format=FormatName.JSON)
    leave_unfinished(source, output, json_options, monkeypatch)
    annotate_file(source, output, json_options)
    assert len(json.loads(output.read_text(encoding="utf-8"))) == BATCH_RECORDS
    write_records(source, 3, broken=(0, 1, 2))
    annotate_file(source, output, json_options)
    assert json.loads(output.read_text(encoding="utf-8")) == []


def test_old_failures_are_removed_by_a_run_without_failures(
    source: Path, options: WorkerOptions
) -> None:
    output = source.with_name("out.jsonl")
    annotate_file(source, output, options)
    write_records(source, 5)
    annotate_file(source, output, options)
    assert names_in(source.parent) == {"in.jsonl", "out.jsonl"}


@pytest.mark.parametrize("changed", ["pipeline", "input"])
def test_a_change_of_pipeline_or_input_is_seen_by_its_time(
    changed: str, source: Path, options: WorkerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = source.with_name("out.jsonl")
    leave_unfinished(source, output, options, monkeypatch)
    file = Path(options.pipeline) / "meta.json" if changed == "pipeline" else source
    state = file.stat()
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1000))
    with pytest.raises(InputError, match=f"had another {changed}"):
        annotate_file(source, output, options)


def test_inputs_are_not_overwritten(source: Path, options: WorkerOptions) -> None:
    before = source.read_bytes()
    with pytest.raises(InputError, match="is also an input"):
        annotate_file(source, source, options)
    assert source.read_bytes() == before
    assert names_in(source.parent) == {"in.jsonl"}
