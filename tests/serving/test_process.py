"""The command: what it refuses, what it logs, and how it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import spacy
import typer.testing

from bert_ner.errors import InputError
from bert_ner.serving import access
from bert_ner.serving.access import is_local, read_token
from bert_ner.serving.server import bind
from tests.conftest import ROOT
from tests.helpers import fails
from tests.serving.conftest import until

START_SECONDS = 120
PATH = "/v1/annotate"


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Oslo"}])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


class Service:
    """The service as a process, with what it logs."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._log = folder / "log.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.serve", *options, "--port", "0", "--gpu-id", "-1"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "EN_BERT_NER_TOKEN": "s3cret"},
            )
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        self.address = self.said.split(" on ")[1].removesuffix("/docs\n")
        until(lambda: "Application startup complete" in self.log())

    def log(self) -> str:
        return self._log.read_text()

    def post(self, text: str) -> httpx.Response:
        headers = {"Authorization": "Bearer s3cret"}
        return httpx.post(
            f"{self.address}{PATH}?q={text}", json={"text": text}, headers=headers, timeout=30
        )


@pytest.fixture
def service(pipeline: Path, tmp_path: Path) -> Iterator[Service]:
    # a text waits so long for others that a signal finds it waiting
    service = Service(tmp_path, str(pipeline), "--max-wait-ms", "3000")
    yield service
    service.process.kill()
    service.process.wait()
    assert service.process.stdout
    service.process.stdout.close()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_lets_it_answer_what_it_took(sig: int, service: Service) -> None:
    assert service.address.startswith("http://127.0.0.1:")
    answers: list[httpx.Response] = []
    idle = httpx.Client()
    assert idle.get(f"{service.address}/health").status_code == 200
    threads = [
        threading.Thread(target=lambda i=i: answers.append(service.post(f"secret{i} in Oslo")))
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    with pytest.raises(subprocess.TimeoutExpired):
        service.process.wait(1)
    assert answers == []
    service.process.send_signal(sig)
    with pytest.raises(subprocess.TimeoutExpired):
        service.process.wait(0.5)
    with suppress(httpx.TransportError):  # a new request finds a closed door
        assert service.post("secret late").status_code == 503
    for thread in threads:
        thread.join()
    assert service.process.wait(30) == 0
    idle.close()
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(answer.json()["spans"][0]["label"] == "LOC" for answer in answers)
    log = service.log()
    assert log.count("POST /v1/annotate 200") == 3
    assert "secret" not in log.replace("s3cret", "secret") + service.said
    assert "Traceback" not in log


def test_the_limits_are_those_of_the_options(pipeline: Path, tmp_path: Path) -> None:
    options = ["--pipeline", str(pipeline), "--max-chars", "5", "--max-texts", "2"]
    service = Service(tmp_path, *options, "--max-batch", "1")
    with service.process as process:
        headers = {"Authorization": "Bearer s3cret"}
        model = httpx.get(f"{service.address}/v1/model", headers=headers)
        assert model.json()["limits"] == {"chars": 5, "texts": 2}
        assert service.post("Rain in Oslo").status_code == 413
        process.terminate()
        assert process.wait(30) == 0


def test_an_address_that_is_taken(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        line = fails(monkeypatch, capsys, "serve", pipeline, "--port", str(port))
    assert line == f"error: 127.0.0.1:{port}: Address already in use. Name another --port."


def test_an_address_that_is_not_this_machine_s() -> None:
    with pytest.raises(InputError, match=r"Name another --host\.$"):
        bind("192.0.2.1", 0)


def test_an_error_of_the_system_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(access, "read_token", fail)
    assert fails(monkeypatch, capsys, "serve") == "error: No space left on device."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere"], "error: nowhere: not a pipeline that loads"),
        (["en_bert_ner", "--pipeline", "nowhere"], "error: nowhere: not a pipeline that loads"),
        (["--queue", "3"], "error: a queue of 3 texts cannot hold a request of 32."),
        (["--token-file", "nowhere"], "error: nowhere: No such file or directory."),
    ],
)
def test_mistakes(
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = fails(monkeypatch, capsys, "serve", *options, "--port", "0", "--gpu-id", "-1")
    assert line.startswith(message)


def test_what_is_to_be_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("bert_ner.serving.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    line = fails(monkeypatch, capsys, "serve")
    assert line == "error: fastapi is missing. Run `pip install -e '.[serve]'`."


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EN_BERT_NER_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("EN_BERT_NER_TOKEN", "of-environment")
    assert read_token(None) == "of-environment"
    path = tmp_path / "token"
    path.write_text("of-file\n")
    assert read_token(path) == "of-file"
    for bad in ("", "\n", "two words", "é", "a\x00b"):
        path.write_text(bad)
        with pytest.raises(InputError, match="expected a token of letters"):
            read_token(path)
    monkeypatch.setenv("EN_BERT_NER_TOKEN", "")
    with pytest.raises(InputError, match="EN_BERT_NER_TOKEN: expected a token"):
        read_token(None)


def test_a_token_is_no_option() -> None:
    app = typer.Typer()
    app.command()(access.main)
    result = typer.testing.CliRunner().invoke(app, ["--token", "s3cret"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("ner", False)],
)
def test_what_only_this_machine_reaches(host: str, local: bool) -> None:
    assert is_local(host) == local
