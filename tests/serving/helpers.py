"""A pipeline that records the texts it reads, and the service around it in a thread."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import spacy
from fastapi import FastAPI
from spacy.language import Language
from spacy.tokens import Doc, Span

from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits
from bert_ner.serving.server import Server, bind

PATH = "/v1/annotate"
ENTITIES = {"Ann": ("PER", 0.6), "Oslo": ("LOC", 0.99), "أوسلو": ("LOC", 0.8)}
SECONDS = 10.0  # for milliseconds of work on a busy machine


class Finder:
    """A component that finds `ENTITIES`, fails on `boom`, and waits at `stop` for `resume`."""

    min_confidence = 0.0

    def __init__(self) -> None:
        if not Span.has_extension("confidence"):
            Span.set_extension("confidence", default=None)
        self.read: list[str] = []
        self.batches: list[int] = []
        self.resume = threading.Event()

    def __call__(self, doc: Doc) -> Doc:
        self.read.append(doc.text)
        if "boom" in doc.text:
            raise ValueError(f"cannot read {doc.text}")
        if "stop" in doc.text:
            assert self.resume.wait(SECONDS)
        known = [token for token in doc if token.text in ENTITIES]
        doc.ents = [Span(doc, token.i, token.i + 1, ENTITIES[token.text][0]) for token in known]
        for ent in doc.ents:
            ent._.confidence = ENTITIES[ent.text][1]
        return doc

    def pipe(self, docs: Iterator[Doc], batch_size: int = 0) -> Iterator[Doc]:
        batch = list(docs)
        self.batches.append(len(batch))
        yield from map(self, batch)

    @property
    def labels(self) -> tuple[str, ...]:
        return ("PER", "LOC")


def make_finder(nlp: Language, name: str) -> Finder:
    return Finder()


Language.factory("recording_finder", assigns=["doc.ents"], func=make_finder)


def make_pipeline() -> Language:
    """A pipeline whose one component is a `Finder`."""
    nlp = spacy.blank("en")
    nlp.add_pipe("recording_finder", name="finder")
    return nlp


def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Run an application in a thread; yields its address."""
    server = Server(app)
    with bind("127.0.0.1", 0) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(SECONDS)
    assert not thread.is_alive()


class Client(httpx.Client):
    """A client of a service in this process."""

    app: FastAPI

    def waiting(self) -> int:
        """Count the texts that wait for the pipeline."""
        return len(self.app.state.batcher._waiting)


Serve = Callable[..., Client]


@contextmanager
def services(nlp: Language) -> Iterator[Serve]:
    """Yield a function that runs the service with some limits changed, and returns a client."""
    with ExitStack() as stack:

        def serve(token: str | None = None, **limits: Any) -> Client:
            app = make_app(nlp, Limits(**limits), token)
            address = stack.enter_context(running(app))
            client = Client(base_url=address, timeout=SECONDS, trust_env=False)
            client.app = app
            return stack.enter_context(client)

        yield serve


def error_of(response: httpx.Response, status: int) -> str:
    """Check that a response is an error, and return its message."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    message: str = response.json()["error"]
    return message


def send_raw(client: httpx.Client, data: bytes) -> bytes:
    """Send raw bytes, and read until the server closes the connection."""
    assert client.base_url.port
    with socket.create_connection((client.base_url.host, client.base_url.port), 10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))
