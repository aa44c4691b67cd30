"""`python -m scripts.annotate`: texts, files, folders and standard input, from end to end."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_ner import cli
from bert_ner.annotation import annotate
from tests.annotation.test_journal import left

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(ruler: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def _call(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["annotate", *arguments, "--pipeline", str(ruler)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.run(annotate.main)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _call


def test_a_process_prints_the_table(ruler: Path) -> None:
    command = [sys.executable, "-m", "scripts.annotate", "Anna Berg lives in Oslo."]
    done = subprocess.run([*command, "--pipeline", str(ruler)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PER                   Anna Berg       0     9" in done.stdout


def test_a_text_prints_the_table(call: Call) -> None:
    code, out, err = call("Anna Berg lives in Oslo.")
    assert (code, err) == (0, "")
    assert "PER                   Anna Berg       0     9" in out
    code, out, _ = call("Anna Berg lives in Oslo.", "--format", "conll")
    assert out.split("\n\n")[1].splitlines()[:2] == ["Anna B-PER", "Berg I-PER"]


def test_standard_input_becomes_json_lines(call: Call) -> None:
    given = b'{"text": "Oslo", "id": 1}\n{"no": 1}\n{"text": "rain", "id": 2}\n'
    code, out, err = call("-", "--input-format", "jsonl", stdin=given)
    assert code == 1
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 2]
    assert err == 'error: standard input:2: has no text in a field "text"\n'
    code, out, _ = call("-", "--input-format", "lines", "--format", "json", stdin=b"Oslo\n\nrain\n")
    assert [len(found["spans"]) for found in json.loads(out)] == [1, 0]


def test_a_folder_becomes_one_file_of_the_kind_that_its_name_says(
    call: Call, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Anna Berg", encoding="utf-8")
    (tmp_path / "in" / "b.jsonl").write_text('{"body": "x"}\n{"text": "Oslo"}', encoding="utf-8")
    output = tmp_path / "out.jsonl"
    code, out, err = call(str(tmp_path / "in"), "--output", str(output))
    assert code == 1
    assert out == f"{output}: 2 records annotated\n"
    assert "1 records failed" in err
    found = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(row["source"], row["spans"][0]["label"]) for row in found] == [
        ("a.txt", "PER"),
        ("b.jsonl", "LOC"),
    ]
    code, _, _ = call(str(tmp_path / "in" / "a.txt"), "--output", str(tmp_path / "o.json"))
    assert code == 0
    assert len(json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))) == 1
    assert left(tmp_path) == {"in", "out.jsonl", "out.jsonl.failed.jsonl", "o.json"}


def test_a_folder_that_holds_its_output_is_not_read_twice(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Oslo", encoding="utf-8")
    for _ in range(2):
        _, out, _ = call(str(tmp_path), "--output", str(tmp_path / "out.jsonl"))
        assert out.endswith("out.jsonl: 1 records annotated\n")


def test_fields_with_our_names_are_kept_under_another(call: Call, tmp_path: Path) -> None:
    given = b'{"body": "Oslo", "text": "rain", "spans": [1]}'
    _, out, _ = call("-", "--input-format", "jsonl", "--text-field", "body", stdin=given)
    found = json.loads(out)
    assert (found["text"], found["given_text"], found["given_spans"]) == ("Oslo", "rain", [1])


def test_an_empty_text_is_a_text(call: Call) -> None:
    assert call("")[:2] == (0, "no entities\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl"], "missing.jsonl: not found."),
        (["Oslo", "--by-word-piece"], "has no encoder with word pieces"),
        (["Oslo", "--min-confidence", "0.5"], "does not say how sure it is"),
        (["README.md", "--output", "x.csv"], "is written as JSON lines"),
        (["README.md", "--address", "a"], "--address is for --engine ray"),
        (["README.md", "--engine", "ray", "--restart"], "--engine ray has no"),
        (["Oslo", "--output", "x.json"], "go with a file or a folder to read"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(call: Call, arguments: list[str], message: str) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
