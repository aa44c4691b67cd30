"""The options choose the input, the output format and the device."""

import io
from pathlib import Path

import pytest

from bert_ner.annotation import run
from bert_ner.annotation.inputs import Failure
from bert_ner.annotation.journal import Progress
from bert_ner.annotation.options import Engine, RunOptions, WorkerOptions
from bert_ner.errors import InputError


def annotate(options: RunOptions, stdin: bytes | None = b"") -> str:
    stream, failures = io.StringIO(), list[Failure]()
    run.annotate_input(
        options,
        stdin=None if stdin is None else io.BytesIO(stdin),
        stdout=stream,
        on_failure=failures.append,
    )
    assert failures == []
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "start"),
    [("in Oslo", "entity "), ("-", '{"text": "Oslo"'), ("x" * 5000, "no "), ("", "no entities")],
)
def test_a_text_becomes_a_table_and_standard_input_json_lines(
    text: str, start: str, ruler: Path
) -> None:
    options = RunOptions(input=text, pipeline=str(ruler))
    assert annotate(options, b"Oslo").startswith(start)


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.json", "[\n{"), ("o.HTML", "<!doctype"), ("o.conll", "-DOCSTART-"), ("o.txt", "entity"),
     ("o.jsonl", '{"text"'), ("o", '{"text"')],
)  # fmt: skip
def test_the_name_of_the_output_chooses_its_format(
    name: str, start: str, ruler: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("Oslo", encoding="utf-8")
    output = tmp_path / name
    options = RunOptions(input=str(tmp_path / "a.md"), pipeline=str(ruler), output=output)
    assert annotate(options) == ""
    assert output.read_text(encoding="utf-8").startswith(start)


def test_closed_standard_input_is_refused() -> None:
    with pytest.raises(InputError, match="standard input is closed"):
        annotate(RunOptions(input="-", pipeline="p"), None)


def test_a_file_name_that_does_not_exist_is_not_a_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found"):
        annotate(RunOptions(input=str(tmp_path / "a.csv"), pipeline="p"))


@pytest.mark.parametrize(("gpu_id", "gpu"), [("auto", -1), ("-1", -1), ("3", 0)])
def test_ray_gets_a_gpu_only_if_a_number_is_given(
    gpu_id: str, gpu: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[WorkerOptions] = []

    def annotate_on_cluster(*_: object, options: WorkerOptions, **__: object) -> Progress:
        calls.append(options)
        return Progress()

    monkeypatch.setattr("bert_ner.annotation.ray.annotate_on_cluster", annotate_on_cluster)
    (tmp_path / "a.parquet").touch()
    annotate(
        RunOptions(
            input=str(tmp_path / "a.parquet"),
            pipeline="p",
            output=tmp_path / "out",
            engine=Engine.RAY,
            gpu_id=gpu_id,
        )
    )
    assert [options.gpu for options in calls] == [gpu]
