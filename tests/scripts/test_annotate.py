"""`python -m scripts.annotate`: texts, files, folders and standard input, from end to end."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_ner import cli
from bert_ner.annotation.journal import BATCH_RECORDS
from scripts import annotate
from tests.annotation.helpers import command, names_in, read_lines, records_done, run, write_records

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(ruler: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def _call(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["annotate", *arguments, "--pipeline", str(ruler)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.run(annotate.main)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return _call


def test_a_text_prints_the_table(call: Call) -> None:
    code, out, err = call("Anna Berg lives in Oslo.")
    assert (code, err) == (0, "")
    assert "PER                   Anna Berg       0     9" in out
    code, out, _ = call("Anna Berg lives in Oslo.", "--format", "conll")
    assert out.split("\n\n")[1].splitlines()[:2] == ["Anna B-PER", "Berg I-PER"]


def test_standard_input_becomes_json_lines(call: Call) -> None:
    rows = b'{"text": "Oslo", "id": 1}\n{"no": 1}\n{"text": "rain", "id": 2}\n'
    code, out, err = call("-", "--input-format", "jsonl", stdin=rows)
    assert code == 1
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 2]
    assert err == 'error: standard input:2: has no text in a field "text"\n'
    code, out, _ = call("-", "--input-format", "lines", "--format", "json", stdin=b"Oslo\n\nrain\n")
    assert [len(annotation["spans"]) for annotation in json.loads(out)] == [1, 0]


def test_a_folder_becomes_one_file_in_the_format_of_its_name(call: Call, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Anna Berg", encoding="utf-8")
    (tmp_path / "in" / "b.jsonl").write_text('{"body": "x"}\n{"text": "Oslo"}', encoding="utf-8")
    output = tmp_path / "out.jsonl"
    code, out, err = call(str(tmp_path / "in"), "--output", str(output))
    assert code == 1
    assert out == f"{output}: 2 records annotated\n"
    assert "1 records failed" in err
    assert [(row["source"], row["spans"][0]["label"]) for row in read_lines(output)] == [
        ("a.txt", "PER"),
        ("b.jsonl", "LOC"),
    ]
    code, _, _ = call(str(tmp_path / "in" / "a.txt"), "--output", str(tmp_path / "o.json"))
    assert code == 0
    assert len(json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))) == 1
    assert names_in(tmp_path) == {"in", "out.jsonl", "out.jsonl.failed.jsonl", "o.json"}


def test_a_folder_that_holds_its_output_is_not_read_twice(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Oslo", encoding="utf-8")
    for _ in range(2):
        _, out, _ = call(str(tmp_path), "--output", str(tmp_path / "out.jsonl"))
        assert out.endswith("out.jsonl: 1 records annotated\n")


def test_fields_with_reserved_names_are_renamed(call: Call) -> None:
    row = b'{"body": "Oslo", "text": "rain", "spans": [1]}'
    _, out, _ = call("-", "--input-format", "jsonl", "--text-field", "body", stdin=row)
    output = json.loads(out)
    assert (output["text"], output["given_text"], output["given_spans"]) == ("Oslo", "rain", [1])


def test_an_empty_text_is_a_text(call: Call) -> None:
    assert call("")[:2] == (0, "no entities\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl"], "missing.jsonl: not found."),
        (["Oslo", "--by-word-piece"], "has no encoder with word pieces"),
        (["Oslo", "--min-confidence", "0.5"], "gives no confidence"),
        (["README.md", "--output", "x.csv"], "is written as JSON lines"),
        (["README.md", "--address", "a"], "--address is for --engine ray"),
        (["README.md", "--engine", "ray", "--restart"], "--engine ray does not support"),
        (["Oslo", "--output", "x.json"], "need a file or a folder as input"),
    ],
)
def test_wrong_options_are_one_line(call: Call, arguments: list[str], message: str) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("options", [[], ["--output", "out.jsonl"]])
def test_an_interrupt_is_one_line_and_exit_code_130(
    options: list[str], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bert_ner.annotation.run.annotate_input", interrupt)
    resume = "; run the same command without --restart to resume" if options else ""
    assert call("Oslo", *options) == (130, "", f"stopped{resume}\n")


@pytest.mark.slow
def test_a_process_prints_the_table(ruler: Path) -> None:
    done = run("Anna Berg lives in Oslo.", "--pipeline", ruler)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PER                   Anna Berg       0     9" in done.stdout


@pytest.mark.slow
def test_ctrl_c_stops_a_run_that_can_be_resumed(ruler: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_records(source, 200 * BATCH_RECORDS)
    # a shell that runs tests in the background makes them, and their children, ignore SIGINT
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command(source, "--pipeline", ruler, "--output", output), stderr=-1, text=True
    )
    signal.signal(signal.SIGINT, handler)
    while not records_done(output):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # Python exits by the signal if it came during an import; shells report 130 for both
    assert (process.returncode in (130, -signal.SIGINT), err) == (True, err)
    assert err == "stopped; run the same command without --restart to resume\n"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_workers_run_from_an_installed_project(
    engine: str, installed: Path, ruler: Path, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["Oslo"] * 600}), tmp_path / "in.parquet")
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    where = [sys.executable, "-c", "import bert_ner; print(bert_ner.__file__)"]
    file = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert Path(file.stdout.strip()).is_relative_to(installed)
    done = run(
        *("in.parquet", "--output", "out", "--pipeline", ruler),
        *("--workers", 2, "--engine", engine),
        cwd=tmp_path,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (0, "out: 600 records annotated\n"), done.stderr
