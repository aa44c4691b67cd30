"""The demo listens on this machine only, on a free port."""

import socket
from pathlib import Path

import pytest

from bert_ner.demo.launch import PAGE, STREAMLIT_OPTIONS, check_port, run_demo, streamlit_arguments
from bert_ner.errors import InputError
from tests.conftest import ROOT


def test_streamlit_listens_on_this_machine_only() -> None:
    arguments = streamlit_arguments(["a", "b"], 8600)
    assert arguments[:2] == ["run", str(PAGE)]
    assert arguments[-3:] == ["--", "a", "b"]
    for option in (
        "--server.address=127.0.0.1",
        "--server.port=8600",
        "--browser.gatherUsageStats=false",
        "--server.headless=true",
        "--server.allowedHosts=127.0.0.1",
        "--client.showErrorDetails=none",
    ):
        assert option in arguments
    assert {f"--{name}={value}" for name, value in STREAMLIT_OPTIONS.items()} <= set(arguments)
    assert PAGE.is_relative_to(ROOT)
    assert PAGE.is_file()


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}: .* --port {port + 1}"):
            check_port(port)


def test_the_address_is_announced_before_the_page_is_served(
    ruler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[object] = []
    monkeypatch.setattr(
        "streamlit.web.cli.main", lambda arguments, standalone_mode: events.append(arguments)
    )
    monkeypatch.setattr("bert_ner.demo.launch.check_port", events.append)
    run_demo([str(ruler)], 8600, on_start=events.append)
    url = "http://127.0.0.1:8600"
    assert events == [8600, url, streamlit_arguments([str(ruler)], 8600)]
