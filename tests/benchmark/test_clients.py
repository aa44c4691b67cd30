"""Clients of the service, and its process."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from spacy.language import Language

from bert_ner.annotation.annotator import annotate
from bert_ner.benchmark.clients import drive, service
from bert_ner.errors import InputError
from tests.serving.helpers import Finder, Serve

READY = "import time; print('http://127.0.0.1:8123/docs', flush=True); time.sleep(60)"


def test_clients_send_one_text_at_a_time_for_the_given_time(
    serve: Serve, nlp: Language, finder: Finder
) -> None:
    client = serve()
    texts = [f"Ann left Oslo {i} 😀" for i in range(10)]
    responses = asyncio.run(drive(client.base_url.port or 0, texts, clients=4, seconds=0.5))
    assert set(responses.statuses) == {200}
    assert responses.statuses[200] == len(responses.seconds) == len(finder.read) > 10
    assert responses.elapsed >= 0.5
    assert max(finder.batches) <= 4
    offline = dict(zip(texts, annotate(nlp, texts), strict=True))
    bodies = {text: [json.loads(b) for b in bodies] for text, bodies in responses.bodies.items()}
    assert bodies == {text: [annotation] for text, annotation in offline.items()}


def test_errors_and_broken_connections_are_counted(serve: Serve) -> None:
    client = serve()
    port = client.base_url.port or 0
    client.app.state.batcher.refuse()
    assert set(asyncio.run(drive(port, ["x"], clients=1, seconds=0.1)).statuses) == {503}
    assert asyncio.run(drive(1, ["x"], clients=2, seconds=0.1)).statuses == {0: 2}


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_process_of_the_service_is_started_and_ended(tmp_path: Path) -> None:
    arguments = tmp_path / "arguments"
    stop = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(0));"
    note = f"import sys; open({str(arguments)!r}, 'w').write(' '.join(sys.argv[1:]));"
    with service([*program(stop + note + READY), "pipeline"]) as port:
        assert port == 8123
    assert arguments.read_text() == "pipeline --port 0"
    with (
        pytest.raises(InputError, match="ended with exit code 3"),
        service(program(stop.replace("exit(0)", "exit(3)") + READY)),
    ):
        pass


def test_a_service_that_does_not_start() -> None:
    command = program("print('no such pipeline')")
    with pytest.raises(InputError, match=r"^the service did not start: "), service(command):
        pass
