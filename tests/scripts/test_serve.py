"""`python -m scripts.serve`: options, mistakes, and the process from start to end."""

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
import typer.testing

from bert_ner.serving.server import Service, bind
from scripts import serve
from tests.conftest import ROOT
from tests.helpers import fails
from tests.scripts.helpers import succeeds
from tests.serving.helpers import PATH, running, until

ANY_PORT = ("--port", "0", "--gpu-id", "-1")
TOKEN = {"Authorization": "Bearer s3cret"}


class Process:
    """The service as a process, with its log."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._log = folder / "log.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.serve", *options, *ANY_PORT],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "EN_BERT_NER_TOKEN": "s3cret"},
            )
        assert self.process.stdout
        self.output = self.process.stdout.readline()
        self.address = self.output.split(" on ")[1].removesuffix("/docs\n")
        until(lambda: "Application startup complete" in self.log())

    def log(self) -> str:
        return self._log.read_text()

    def post(self, text: str) -> httpx.Response:
        url = f"{self.address}{PATH}?q={text}"
        return httpx.post(url, json={"text": text}, headers=TOKEN, timeout=30)


@pytest.fixture
def process(ruler: Path, tmp_path: Path) -> Iterator[Process]:
    # texts wait for others long enough to be in the queue when the signal arrives
    process = Process(tmp_path, str(ruler), "--max-wait-ms", "3000")
    yield process
    process.process.kill()
    process.process.wait()
    assert process.process.stdout
    process.process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_after_the_accepted_requests(sig: int, process: Process) -> None:
    assert process.address.startswith("http://127.0.0.1:")
    answers: list[httpx.Response] = []
    idle = httpx.Client()
    assert idle.get(f"{process.address}/health").status_code == 200
    threads = [
        threading.Thread(target=lambda i=i: answers.append(process.post(f"secret{i} in Oslo")))
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    with pytest.raises(subprocess.TimeoutExpired):
        process.process.wait(1)
    assert answers == []
    process.process.send_signal(sig)
    with pytest.raises(subprocess.TimeoutExpired):
        process.process.wait(0.5)
    with suppress(httpx.TransportError):  # the socket may be closed already
        assert process.post("secret late").status_code == 503
    for thread in threads:
        thread.join()
    assert process.process.wait(30) == 0
    idle.close()
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(answer.json()["spans"][0]["label"] == "LOC" for answer in answers)
    log = process.log()
    assert log.count("POST /v1/annotate 200") == 3
    assert "secret" not in log.replace("s3cret", "secret") + process.output
    assert "Traceback" not in log


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    """The services that a command has started; they return instead of running."""
    services: list[Service] = []
    monkeypatch.setattr(Service, "run", lambda self: services.append(self))
    return services


def test_the_options_set_the_limits(
    ruler: Path,
    started: list[Service],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EN_BERT_NER_TOKEN", "s3cret")
    options = ["--max-chars", "5", "--max-texts", "2", "--queue", "2", "--max-batch", "1"]
    succeeds(monkeypatch, serve, *ANY_PORT, "--pipeline", str(ruler), *options)
    (service,) = started
    assert capsys.readouterr().out == f"{ruler} on {service.url}/docs\n"
    with running(service.app) as url, httpx.Client(base_url=url, headers=TOKEN) as client:
        assert client.get("/v1/model").json()["limits"] == {"chars": 5, "texts": 2}
        assert client.post(PATH, json={"text": "Oslo"}).json()["spans"][0]["label"] == "LOC"
        assert client.post(PATH, json={"text": "Rain in Oslo"}).status_code == 413
        assert client.post(PATH, json={"texts": ["x"] * 3}).status_code == 422
        assert client.get("/v1/model", headers={"Authorization": ""}).status_code == 401
        assert service.app.state.batcher._limits.batch == 1
        assert service.app.state.batcher._limits.queue == 2


def test_an_open_service_is_announced(
    ruler: Path,
    started: list[Service],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("EN_BERT_NER_TOKEN", raising=False)
    succeeds(monkeypatch, serve, *ANY_PORT, str(ruler), "--host", "0.0.0.0")
    warning, address = capsys.readouterr().out.splitlines()
    assert warning == "There is no token: anyone who can reach 0.0.0.0 can use this service."
    assert address == f"{ruler} on {started[0].url}/docs"


def test_an_address_in_use(
    ruler: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        line = fails(monkeypatch, capsys, "serve", ruler, "--port", str(port))
    assert line == f"error: 127.0.0.1:{port}: Address already in use. Choose another --port."


def test_a_system_error_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(serve, "read_token", fail)
    assert fails(monkeypatch, capsys, "serve") == "error: No space left on device."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere"], "error: nowhere: not a pipeline that can be loaded"),
        (
            ["en_bert_ner", "--pipeline", "nowhere"],
            "error: nowhere: not a pipeline that can be loaded",
        ),
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
    line = fails(monkeypatch, capsys, "serve", *options, *ANY_PORT)
    assert line.startswith(message)


def test_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("bert_ner.serving.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    line = fails(monkeypatch, capsys, "serve")
    assert line == "error: fastapi is missing. Run `pip install -e '.[serve]'`."


def test_the_token_is_not_an_option() -> None:
    app = typer.Typer()
    app.command()(serve.main)
    result = typer.testing.CliRunner().invoke(app, ["--token", "s3cret"])
    assert result.exit_code == 2
