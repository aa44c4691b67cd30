"""The demo as a user starts it, with an installed pipeline and folders to choose from."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT
from tests.demo.helpers import App, write_built, write_installed


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The demo with all pipelines that are installed or built."""
    folder = tmp_path_factory.mktemp("app")
    runs = folder / "runs.txt"
    with pytest.MonkeyPatch.context() as monkeypatch:
        write_installed(folder / "installed", monkeypatch, runs)
        write_built(folder / "training")
        path = os.pathsep.join([str(ROOT), str(folder / "installed")])
        monkeypatch.setenv("PYTHONPATH", path)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "scripts.app", "--port", str(port)]
        with (folder / "log.txt").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/_stcore/health", process, folder / "log.txt")
            yield App(url, runs)
        finally:
            process.terminate()
            assert process.wait(20) == 0
        assert (
            folder / "log.txt"
        ).read_text().split() == f"{url} (Ctrl-C stops it) Stopping...".split()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(url) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(log.read_text())
