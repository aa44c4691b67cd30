"""What the README and docs/access.md say can be done, and the Dockerfile copies what is there."""

import fnmatch
import json
import re
import subprocess
import tomllib
from dataclasses import fields
from typing import Any

import pytest
import typer.testing

from bert_ner.serving import access
from bert_ner.serving.app import ERRORS
from bert_ner.serving.limits import Limits
from tests.conftest import ROOT
from tests.serving.conftest import Serve

DOCS = (ROOT / "docs/access.md").read_text()
README = (ROOT / "README.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("text", [README, DOCS], ids=["README", "docs"])
def test_what_is_sent_in_the_examples_is_answered(text: str, serve: Serve) -> None:
    client = serve()
    curl = r"curl http://127.0.0.1:8000(\S+) (.*?)-d '(.*?)'\n"
    sent = re.findall(curl, text, re.DOTALL)
    assert sent
    for path, options, body in sent:
        headers = dict(re.findall(r"-H '(Content-Type): (.*?)'", options))
        answer = client.post(path, content=body, headers=headers)
        assert answer.status_code == 200
        assert ("results" in answer.json()) == ("texts" in json.loads(body))
    for path in re.findall(r"^curl http://127.0.0.1:8000(\S+)$", text, re.MULTILINE):
        assert client.get(path).status_code == 200


def test_the_options_and_statuses_are_those_of_the_docs() -> None:
    app = typer.Typer()
    app.command()(access.main)
    told = typer.testing.CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    for option in set(re.findall(r"(?<=`)--(?:max|token|queue|host)[\w-]*", DOCS)):
        assert option in told
    table = re.findall(r"^\| (\d{3}) \|", DOCS, re.MULTILINE)
    assert {int(status) for status in table} == set(ERRORS)


def test_the_limits_are_those_of_the_docs() -> None:
    limits = Limits()
    said: dict[str, Any] = {
        "chars": f"{limits.chars:,} characters",
        "word": f"| | {limits.word:,} characters |",
        "texts": f"`--max-texts` | {limits.texts} |",
        "queue": f"{limits.queue} texts",
        "batch": f"`--max-batch` texts ({limits.batch})",
        "batch_chars": f"at most {limits.batch_chars:,} characters",
        "wait_ms": f"`--max-wait-ms` ({limits.wait_ms:g})",
        "body_seconds": f"{limits.body_seconds:g} seconds",
    }
    assert set(said) == {field.name for field in fields(Limits)}
    assert all(text in DOCS for text in said.values())
    assert f"{limits.body_bytes / 1e6:.1f} MB" in DOCS


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the build; the last pattern that fits says so."""
    parts = path.split("/")
    parents = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        depth = pattern.count("/")
        if line and not line.startswith(("#", "**")) and depth < len(parts):
            fits = fnmatch.fnmatchcase(parents[depth], pattern)
            out = not line.startswith("!") if fits else out
    return out


def test_the_image_is_made_of_what_is_there() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    wheel = "packages/en_bert_ner-0.1.0/dist/en_bert_ner-0.1.0-py3-none-any.whl"
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    (version,) = re.findall(r"^ARG VERSION=(.*)$", DOCKERFILE, re.MULTILINE)
    for source in " ".join(copied).replace("${VERSION}", version).split():
        found = [p for p in [*tracked, wheel] if fnmatch.fnmatch(p, source) or p.startswith(source)]
        assert found, source
        assert not any(ignored(path) for path in found), source
    assert sum(source.endswith(".whl") for source in copied) == 1
    assert "packages/en_bert_ner-${VERSION}/dist/*.whl" in copied
    for path in ("corpus/conll2003/train.spacy", ".venv/x", "packages/en_bert_movie_ner-0.1.0/x"):
        assert ignored(path)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"serve", "cuda12"} <= set(extras["optional-dependencies"])


def test_the_image_runs_the_service_without_rights() -> None:
    *_, last = DOCKERFILE.split("\nFROM ")
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    command = json.loads(re.findall(r"^ENTRYPOINT (.*)$", last, re.MULTILINE)[0])
    assert command == ["python", "-m", "scripts.serve"]
    assert "HEALTHCHECK" in last
