"""An output grows batch by batch, and an interrupted one is resumed or refused."""

import json
from pathlib import Path

import pytest

from bert_ner.annotation.inputs import Failure, Record
from bert_ner.annotation.journal import BATCH_RECORDS, Output, cut_batches
from bert_ner.annotation.options import FormatName
from bert_ner.annotation.outputs import FORMATS, Format
from bert_ner.errors import InputError
from tests.annotation.helpers import names_in, read_lines

BROKEN = Failure("in:1", "error", "{broken")
LINES = Format(str)


def interrupt(output: Output, *batches: list[str | Failure]) -> None:
    """Write batches and stop without finishing."""
    with output.opened():
        for batch in batches:
            output.add(batch)


def test_batches_have_fixed_numbers_and_done_records_are_skipped() -> None:
    records = [Record(str(i), "") for i in range(2 * BATCH_RECORDS + 3)]
    assert [len(batch) for batch in cut_batches(records, 0)] == [BATCH_RECORDS, BATCH_RECORDS, 3]
    (last,) = cut_batches(records, 2 * BATCH_RECORDS)
    assert last == records[-3:]


def test_a_resumed_output_keeps_the_complete_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "out"
    interrupt(Output(path, {"input": 1}, LINES), ["a", BROKEN], ["b"])
    for name in ("out.partial", "out.failed.partial"):
        with (tmp_path / name).open("a") as file:
            file.write("of a batch that was not complete")
    output = Output(path, {"input": 1}, LINES)
    with output.opened():
        assert (output.progress.records, output.progress.failed) == (3, 1)
        output.add(["c"])
        output.finish()
    assert path.read_text() == "abc"
    assert [row["given"] for row in read_lines(tmp_path / "out.failed.jsonl")] == ["{broken"]
    assert names_in(tmp_path) == {"out", "out.failed.jsonl"}


def test_a_run_killed_while_it_renames_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with Output(path, {}, LINES).opened() as output:
        output.add(["a", BROKEN])
        with monkeypatch.context() as patch:
            patch.setattr("bert_ner.annotation.journal.remove", kill)
            with pytest.raises(KeyboardInterrupt):
                output.finish()
    assert path.read_text() == "a"
    assert (tmp_path / "out.progress").exists()
    with Output(path, {}, LINES).opened() as resumed:
        assert resumed.progress.complete
        resumed.finish()
    assert path.read_text() == "a"
    assert names_in(tmp_path) == {"out", "out.failed.jsonl"}


def test_a_changed_job_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / "out"
    interrupt(Output(path, {"format": "json", "input": 1}, LINES), ["a"])
    other = Output(path, {"format": "html", "input": 1}, LINES)
    with pytest.raises(InputError, match=r"had another format\. .* --restart"), other.opened():
        pass
    with other.opened(restart=True):
        assert other.progress.records == 0
        other.add(["b"])
        other.finish()
    assert path.read_text() == "b"


@pytest.mark.parametrize("content", ["{", "{}", '{"job": {}, "progress": {"x": 1}}'])
def test_a_broken_journal_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    (tmp_path / "out.progress").write_text(content)
    with pytest.raises(InputError, match="cannot be read"), Output(path, {}, LINES).opened():
        pass


def test_a_partial_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    interrupt(Output(path, {}, LINES), ["abc"])
    (tmp_path / "out.partial").write_text("a")
    with (
        pytest.raises(InputError, match="is shorter than it was"),
        Output(path, {}, LINES).opened(),
    ):
        pass


def test_a_partial_file_that_is_changed_or_removed_during_the_run_is_refused(
    tmp_path: Path,
) -> None:
    output = Output(tmp_path / "out", {}, LINES)
    with output.opened():
        output.add(["a"])
        (tmp_path / "out.partial").unlink()
        with pytest.raises(InputError, match="was changed during the run"):
            output.add(["b"])


def test_two_runs_do_not_write_the_same_file(tmp_path: Path) -> None:
    output = Output(tmp_path / "out", {}, LINES)
    with output.opened():
        output.add(["a"])
        for restart in (False, True):
            with (
                pytest.raises(InputError, match="another run is writing it"),
                Output(tmp_path / "out", {}, LINES).opened(restart=restart),
            ):
                pass
        output.finish()
    assert (tmp_path / "out").read_text() == "a"


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        pytest.raises(InputError, match="is a folder"),
        Output(tmp_path / "out", {}, LINES).opened(),
    ):
        pass


@pytest.mark.parametrize("batches", [[], [[BROKEN]], [[BROKEN], ["1", "2"]], [["1"], ["2"]]])
def test_json_brackets_and_commas_are_right(
    batches: list[list[str | Failure]], tmp_path: Path
) -> None:
    output = Output(tmp_path / "out", {}, FORMATS[FormatName.JSON])
    with output.opened():
        for batch in batches:
            output.add(batch)
        output.finish()
    numbers = [int(item) for batch in batches for item in batch if isinstance(item, str)]
    assert json.loads((tmp_path / "out").read_text()) == numbers
