"""The examples and figures of docs/serve.md hold."""

import json
import re
from dataclasses import fields

import pytest
import typer.testing

from bert_ner.serving.limits import Limits
from bert_ner.serving.routes import ERRORS
from scripts import serve
from tests.conftest import ROOT
from tests.serving.helpers import Client

DOCS = (ROOT / "docs/serve.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [README, DOCS], ids=["README", "docs"])
def test_the_examples_are_answered(text: str, shared_client: Client) -> None:
    curl = r"curl http://127.0.0.1:8000(\S+) (.*?)-d '(.*?)'\n"
    requests = re.findall(curl, text, re.DOTALL)
    assert requests or text == README
    for path, options, body in requests:
        headers = dict(re.findall(r"-H '(Content-Type): (.*?)'", options))
        answer = shared_client.post(path, content=body, headers=headers)
        assert answer.status_code == 200
        assert ("results" in answer.json()) == ("texts" in json.loads(body))
    for path in re.findall(r"^curl http://127.0.0.1:8000(\S+)$", text, re.MULTILINE):
        assert shared_client.get(path).status_code == 200


def test_the_options_and_statuses_exist() -> None:
    app = typer.Typer()
    app.command()(serve.main)
    output = typer.testing.CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    for option in set(re.findall(r"(?<=`)--(?:max|token|queue|host)[\w-]*", DOCS)):
        assert option in output
    table = re.findall(r"^\| (\d{3}) \|", DOCS, re.MULTILINE)
    assert {int(status) for status in table} == set(ERRORS)


def test_the_limits_are_the_defaults() -> None:
    limits = Limits()
    phrases = {
        "chars": f"{limits.chars:,} characters",
        "word": f"| | {limits.word:,} characters |",
        "texts": f"`--max-texts` | {limits.texts} |",
        "queue": f"{limits.queue} texts",
        "batch": f"`--max-batch` texts ({limits.batch})",
        "batch_chars": f"at most {limits.batch_chars:,} characters",
        "wait_ms": f"`--max-wait-ms` ({limits.wait_ms:g})",
        "body_seconds": f"{limits.body_seconds:g} seconds",
    }
    assert set(phrases) == {field.name for field in fields(Limits)}
    assert all(text in DOCS for text in phrases.values())
    assert f"{limits.body_bytes / 1e6:.1f} MB" in DOCS
