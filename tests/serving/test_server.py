"""Addresses and shutdown."""

import logging
import signal
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from spacy.language import Language

from bert_ner.errors import InputError
from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits
from bert_ner.serving.server import Server, bind, open_service
from tests.serving.helpers import PATH, Finder, error_of, running, until


def test_requests_that_outlast_the_grace_period_are_refused(
    nlp: Language,
    finder: Finder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bert_ner.serving.server.GRACE", 0.1)
    caplog.set_level(logging.INFO)
    answers: list[httpx.Response] = []

    def send(address: str) -> None:
        answers.append(httpx.post(address + PATH, json={"text": "stop"}, trust_env=False))
        finder.resume.set()

    with running(make_app(nlp)) as address:
        thread = threading.Thread(target=send, args=[address])
        thread.start()
        until(lambda: finder.read)
    thread.join()
    assert error_of(answers[0], 503) == "The service is shutting down."
    assert "POST /v1/annotate 503" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_signal_to_stop_ends_after_the_accepted_requests(nlp: Language, finder: Finder) -> None:
    server = Server(make_app(nlp))
    answers: list[httpx.Response] = []
    with bind("127.0.0.1", 0) as bound:
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()

        def send() -> None:
            answers.append(httpx.post(address + PATH, json={"text": "stop"}, trust_env=False))

        client = threading.Thread(target=send)
        client.start()
        until(lambda: finder.read)
        server.handle_exit(signal.SIGTERM, None)
        with suppress(httpx.TransportError):  # the socket may be closed already
            late = httpx.post(address + PATH, json={"text": "late"}, trust_env=False)
            assert late.status_code == 503
        assert answers == []
        finder.resume.set()
        client.join()
        thread.join(10)
        assert not thread.is_alive()
    assert answers[0].status_code == 200
    assert "late" not in finder.read


def test_an_address_in_use() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        message = f"^127.0.0.1:{port}: Address already in use. Choose another --port.$"
        with pytest.raises(InputError, match=message):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(InputError, match=r"Choose another --host\.$"):
        bind("192.0.2.1", 0)


def test_a_service_knows_its_address_and_who_can_use_it(ruler: Path) -> None:
    with open_service(str(ruler), host="127.0.0.1", port=0, limits=Limits(), gpu_id="-1") as local:
        port = local.listener.getsockname()[1]
        assert local.url == f"http://127.0.0.1:{port}"
        assert not local.is_open
    with open_service(str(ruler), host="0.0.0.0", port=0, limits=Limits(), gpu_id="-1") as service:
        assert service.is_open
    with open_service(
        str(ruler), host="0.0.0.0", port=0, limits=Limits(), token="s3cret", gpu_id="-1"
    ) as service:
        assert not service.is_open
