"""A pipeline that records what it reads, and the service around it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
import spacy
from fastapi import FastAPI
from spacy.language import Language
from spacy.tokens import Doc, Span

from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits
from bert_ner.serving.server import Server, bind

FOUND = {"Ann": ("PER", 0.6), "Oslo": ("LOC", 0.99), "أوسلو": ("LOC", 0.8)}
SECONDS = 10.0  # for what takes milliseconds, on a busy machine


class Finder:
    """Finds the words above, fails on `boom`, and stops at `stop` until it may go on."""

    min_confidence = 0.0

    def __init__(self) -> None:
        if not Span.has_extension("confidence"):
            Span.set_extension("confidence", default=None)
        self.read: list[str] = []
        self.batches: list[int] = []
        self.go_on = threading.Event()

    def __call__(self, doc: Doc) -> Doc:
        self.read.append(doc.text)
        if "boom" in doc.text:
            raise ValueError(f"cannot read {doc.text}")
        if "stop" in doc.text:
            assert self.go_on.wait(SECONDS)
        known = [token for token in doc if token.text in FOUND]
        doc.ents = [Span(doc, token.i, token.i + 1, FOUND[token.text][0]) for token in known]
        for ent in doc.ents:
            ent._.confidence = FOUND[ent.text][1]
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


@pytest.fixture
def nlp() -> Language:
    """A pipeline whose one component is a `Finder`."""
    nlp = spacy.blank("en")
    nlp.add_pipe("recording_finder", name="finder")
    return nlp


@pytest.fixture
def finder(nlp: Language) -> Finder:
    found: Finder = nlp.get_pipe("finder")
    return found


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


def until(true: Callable[[], Any]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


class Client(httpx.Client):
    """A client of a service in this process."""

    app: FastAPI

    def waiting(self) -> int:
        """How many texts wait for the model."""
        return len(self.app.state.batcher._waiting)


Serve = Callable[..., Client]


@pytest.fixture
def serve(nlp: Language) -> Iterator[Serve]:
    """Run the service with some limits changed; returns a client for it."""
    with ExitStack() as stack:

        def _serve(token: str | None = None, **limits: Any) -> Client:
            app = make_app(nlp, Limits(**limits), token)
            address = stack.enter_context(running(app))
            client = Client(base_url=address, timeout=SECONDS, trust_env=False)
            client.app = app
            return stack.enter_context(client)

        yield _serve
