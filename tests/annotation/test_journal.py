"""An output that was begun anew is that of a run in one go, and nothing is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bert_ner.annotation import journal, workers
from bert_ner.annotation.annotate import annotate_files
from bert_ner.annotation.inputs import find_sources
from bert_ner.annotation.journal import RECORDS
from bert_ner.annotation.outputs import Format
from bert_ner.annotation.workers import Settings
from bert_ner.errors import InputError
from bert_ner.files import write_json


def write_records(path: Path, count: int, broken: tuple[int, ...] = ()) -> None:
    drawn = random.Random(1)
    words = ["Anna Berg", "Oslo", "rain", "over", "😀", "the"]
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            text = " ".join(drawn.choices(words, k=drawn.randint(0, 12)))
            file.write("{broken\n" if i in broken else json.dumps({"text": text, "id": i}) + "\n")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def settings(ruler: Path) -> Settings:
    return Settings(str(ruler))


@pytest.fixture
def given(tmp_path: Path) -> Path:
    write_records(tmp_path / "in.jsonl", 3 * RECORDS + 10, broken=(5, 2 * RECORDS))
    return tmp_path / "in.jsonl"


def run(given: Path, output: Path, settings: Settings, **options: Any) -> None:
    annotate_files(find_sources(given, None), output, settings=settings, **options)


def test_all_records_are_there_once_with_their_fields(given: Path, settings: Settings) -> None:
    output = given.with_name("out.jsonl")
    progress = annotate_files(find_sources(given, None), output, settings=settings)
    found = lines(output)
    failed = lines(output.with_name("out.jsonl.failed.jsonl"))
    assert [row["id"] for row in found] == [
        i for i in range(3 * RECORDS + 10) if i not in (5, 2 * RECORDS)
    ]
    assert [row["where"] for row in failed] == ["in.jsonl:6", f"in.jsonl:{2 * RECORDS + 1}"]
    assert {row["given"] for row in failed} == {"{broken"}
    assert (progress.records, progress.failed) == (3 * RECORDS + 10, 2)
    assert left(given.parent) == {"in.jsonl", "out.jsonl", "out.jsonl.failed.jsonl"}
    for row in found:
        for span in row["spans"]:
            assert row["text"][span["start"] : span["end"]] in ("Anna Berg", "Oslo")
            assert row["tokens"][span["token_start"]]["start"] == span["start"]
            assert row["tokens"][span["token_end"]]["end"] == span["end"]


@pytest.mark.parametrize("step", ["write", "save", "finish", "rename"])
def test_whatever_is_interrupted_goes_on(
    step: str, given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(given, given.with_name("whole.jsonl"), settings)
    output = given.with_name("out.jsonl")
    calls = 0

    def interrupt(function: Any, at: int) -> Any:
        def interrupted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt
            return function(*args, **kwargs)

        return interrupted

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(journal, "_write", interrupt(journal._write, RECORDS + 100))
        elif step == "save":
            patch.setattr(journal, "write_json", interrupt(write_json, 3))
        elif step == "finish":
            patch.setattr(journal.Output, "finish", interrupt(journal.Output.finish, 1))
        else:
            patch.setattr(Path, "replace", interrupt(Path.replace, 7))  # after the journals'
        with pytest.raises(KeyboardInterrupt):
            run(given, output, settings)
    assert not output.exists() or step == "rename"
    assert output.with_name("out.jsonl.progress").exists()
    run(given, output, settings)
    assert output.read_bytes() == given.with_name("whole.jsonl").read_bytes()
    failed = (given.with_name(f"{name}.jsonl.failed.jsonl") for name in ("out", "whole"))
    assert len({path.read_bytes() for path in failed}) == 1
    assert not any("progress" in name or "partial" in name for name in left(given.parent))


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_three_times_the_output_is_that_of_one_run(
    workers: int, ruler: Path, tmp_path: Path, settings: Settings
) -> None:
    given, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_records(given, 40 * RECORDS, broken=(7,))
    run(given, tmp_path / "whole.jsonl", settings)
    command = [sys.executable, "-m", "scripts.annotate", str(given), "--pipeline", str(ruler)]
    command += ["--output", str(output), "--workers", str(workers)]
    done = 0
    for at in (3, 11, 25):
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
        while process.poll() is None and done < at * RECORDS:
            done = progress(output)
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not output.exists()
        assert done < 40 * RECORDS
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1  # a record failed
    assert "1 records failed" in ended.stderr
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(lines(output)) == 40 * RECORDS - 1


def progress(output: Path) -> int:
    try:
        found = json.loads(output.with_name(f"{output.name}.progress").read_text(encoding="utf-8"))
    except OSError:
        return 0
    records: int = found["progress"]["records"]
    return records


def begin(given: Path, output: Path, settings: Settings, patch: pytest.MonkeyPatch) -> None:
    """Leave a run that has not ended."""

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    with patch.context() as patched:
        patched.setattr(journal.Output, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            run(given, output, settings)


def test_a_run_begun_in_another_way_is_not_gone_on_with(
    given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = given.with_name("out.jsonl")
    begin(given, output, settings, monkeypatch)
    other = replace(settings, format="conll")
    with pytest.raises(InputError, match=r"begun with another format\. .* --restart"):
        run(given, output, other)
    run(given, output, other, restart=True)
    assert output.read_text(encoding="utf-8").startswith("-DOCSTART- O\n")
    begin(given, output, settings, monkeypatch)
    write_records(given, 9)
    with pytest.raises(InputError, match="begun with another input"):
        run(given, output, settings)


def test_an_input_that_grows_meanwhile_is_said(
    given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.annotation.annotate.records.count_records", lambda *_: 7)
    with pytest.raises(InputError, match="expected 7 records, read 778: the input changed"):
        run(given, given.with_name("out.jsonl"), settings)
    assert not given.with_name("out.jsonl").exists()


def test_an_output_cut_short_from_outside_is_said(
    given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = given.with_name("out.jsonl")
    original = journal.Output.add

    def stop(self: Any, done: Any) -> None:
        original(self, done)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal.Output, "add", stop)
        with pytest.raises(KeyboardInterrupt):
            run(given, output, settings)
    output.with_name("out.jsonl.partial").write_bytes(b"{")
    with pytest.raises(InputError, match="is shorter than it was"):
        run(given, output, settings)


def test_two_runs_do_not_write_the_same_file(given: Path, settings: Settings) -> None:
    output = given.with_name("out.jsonl")
    with (
        journal.Output(output, {}, Format(str)).opened(),
        pytest.raises(InputError, match="another run is writing it"),
    ):
        run(given, output, settings)


def test_a_killed_worker_is_said_and_the_run_goes_on(
    given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = given.with_name("out.jsonl")
    write_records(given, 20 * RECORDS)
    run(given, given.with_name("whole.jsonl"), settings)
    original = journal.Output.add

    def kill(self: Any, done: Any) -> None:
        original(self, done)
        if self.progress.records == 2 * RECORDS:
            for pid in children(os.getpid()):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"spawn_main" in command:
                    os.kill(int(pid), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(journal.Output, "add", kill)
        with pytest.raises(InputError, match="a worker ended before its work did"):
            run(given, output, settings, workers=2)
    run(given, output, settings, workers=2)
    assert output.read_bytes() == given.with_name("whole.jsonl").read_bytes()


def test_no_more_batches_are_read_than_workers_can_take(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def batches() -> Any:
        nonlocal read
        for _ in range(50):
            read += 1
            yield []

    done = workers.work_through(batches(), settings, 2)
    next(done)
    assert read <= 2 * workers.AHEAD + 2
    done.close()


def test_a_restart_does_not_take_a_running_run_its_files(given: Path, settings: Settings) -> None:
    output = given.with_name("out.jsonl")
    with journal.Output(output, {}, Format(str)).opened() as running:
        running.add(["a"])
        with pytest.raises(InputError, match="another run is writing it"):
            run(given, output, settings, restart=True)
        running.finish()
    assert output.read_text(encoding="utf-8") == "a"


def test_brackets_are_right_where_the_first_batch_only_fails(
    given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(given, 2 * RECORDS, broken=tuple(range(RECORDS)))
    output = given.with_name("out.json")
    how = replace(settings, format="json")
    begin(given, output, how, monkeypatch)
    run(given, output, how)
    assert len(json.loads(output.read_text(encoding="utf-8"))) == RECORDS
    write_records(given, 3, broken=(0, 1, 2))
    run(given, output, how)
    assert json.loads(output.read_text(encoding="utf-8")) == []


def test_what_failed_earlier_is_gone_after_a_clean_run(given: Path, settings: Settings) -> None:
    output = given.with_name("out.jsonl")
    run(given, output, settings)
    write_records(given, 5)
    run(given, output, settings)
    assert left(given.parent) == {"in.jsonl", "out.jsonl"}


@pytest.mark.parametrize("what", ["pipeline", "input"])
def test_a_change_of_pipeline_or_input_is_seen_by_its_time(
    what: str, given: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = given.with_name("out.jsonl")
    begin(given, output, settings, monkeypatch)
    changed = Path(settings.pipeline) / "meta.json" if what == "pipeline" else given
    state = changed.stat()
    os.utime(changed, ns=(state.st_atime_ns, state.st_mtime_ns + 1000))
    with pytest.raises(InputError, match=f"begun with another {what}"):
        run(given, output, settings)


def test_inputs_are_not_overwritten(given: Path, settings: Settings) -> None:
    before = given.read_bytes()
    with pytest.raises(InputError, match="is an input, too"):
        run(given, given, settings)
    assert given.read_bytes() == before
    assert left(given.parent) == {"in.jsonl"}


def test_what_is_wrong_with_a_pipeline_is_said_by_workers_too(given: Path) -> None:
    wrong = Settings("nowhere")
    for count in (1, 2):
        with pytest.raises(InputError, match="nowhere: not a pipeline"):
            run(given, given.with_name("out.jsonl"), wrong, workers=count)
        assert left(given.parent) == {"in.jsonl"}


def test_workers_end_with_the_run_that_is_killed(
    given: Path, ruler: Path, tmp_path: Path, settings: Settings
) -> None:
    write_records(given, 200 * RECORDS)
    output = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "scripts.annotate", str(given), "--pipeline", str(ruler)]
    process = subprocess.Popen([*command, "--output", str(output), "--workers", "2"])
    while not progress(output):
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


def children(process: int) -> list[str]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return path.read_text(encoding="utf-8").split()


def test_ctrl_c_is_said_in_a_line(given: Path, ruler: Path, tmp_path: Path) -> None:
    write_records(given, 200 * RECORDS)
    output = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "scripts.annotate", str(given), "--pipeline", str(ruler)]
    # where tests run in the background of a shell, they and what they start would not hear it
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([*command, "--output", str(output)], stderr=-1, text=True)
    signal.signal(signal.SIGINT, ours)
    while not progress(output):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    # Python ends itself by the signal where it came at an import; shells say 130 of both
    assert (process.returncode in (130, -signal.SIGINT), said) == (True, said)
    assert said == "stopped; the same command, without --restart, goes on\n"
