"""A pipeline that records the texts it reads, and the service around it."""

from collections.abc import Iterator

import pytest
from spacy.language import Language

from tests.serving.helpers import Client, Finder, Serve, make_pipeline, services


@pytest.fixture
def nlp() -> Language:
    """A pipeline whose one component is a `Finder`."""
    return make_pipeline()


@pytest.fixture
def finder(nlp: Language) -> Finder:
    component: Finder = nlp.get_pipe("finder")
    return component


@pytest.fixture
def serve(nlp: Language) -> Iterator[Serve]:
    """Run the service with some limits changed; returns a client for it."""
    with services(nlp) as start:
        yield start


@pytest.fixture(scope="session")
def _shared() -> Iterator[tuple[Client, Finder]]:
    nlp = make_pipeline()
    with services(nlp) as start:
        yield start(wait_ms=0), nlp.get_pipe("finder")


@pytest.fixture
def shared_finder(_shared: tuple[Client, Finder]) -> Finder:
    """The component of `shared_client`, without records of earlier tests."""
    _, finder = _shared
    finder.read.clear()
    finder.batches.clear()
    return finder


@pytest.fixture
def shared_client(_shared: tuple[Client, Finder]) -> Client:
    """A client of one service with the default limits and no wait, shared by all tests."""
    return _shared[0]
