"""Texts over a limit never reach the pipeline."""

import json

import pytest

from bert_ner.errors import InputError
from bert_ner.serving.limits import Limits
from tests.serving.helpers import PATH, Finder, Serve, error_of


def test_texts_over_a_limit_never_reach_the_model(serve: Serve, finder: Finder) -> None:
    client = serve(chars=10, texts=3)
    for text in ("x" * 11, "😀" * 11):
        message = error_of(client.post(PATH, json={"text": text}), 413)
        assert message.startswith("text: 11 characters, and at most 10 are accepted.")
        message = error_of(client.post(PATH, json={"texts": ["fine", text]}), 413)
        assert message.startswith("texts[1]: 11 characters")
    message = error_of(client.post(PATH, json={"texts": ["x"] * 4}), 422)
    assert message.startswith("texts: 4 in one request, and at most 3 are accepted.")
    assert finder.read == []
    assert client.post(PATH, json={"texts": ["😀" * 10] * 3}).status_code == 200
    assert finder.read == ["😀" * 10] * 3


def test_a_word_over_the_limit_never_reaches_the_model(serve: Serve, finder: Finder) -> None:
    client = serve(word=10)
    message = error_of(client.post(PATH, json={"texts": ["x y", "a\n" + "(" * 11]}), 413)
    assert message.startswith("texts[1]: 11 characters without white space between them, and at")
    assert finder.read == []
    assert client.post(PATH, json={"text": "(" * 10 + "\u00a0" + "😀" * 10}).status_code == 200


def test_the_largest_request_within_the_limits_is_not_too_large(serve: Serve) -> None:
    body = json.dumps({"texts": ["😀" * 100] * 3, "min_confidence": 0.123456789, "tokens": False})
    headers = {"Content-Type": "application/json"}
    response = serve(chars=100, texts=3).post(PATH, content=body, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("wait", [float("nan"), float("inf")])
def test_the_wait_must_be_finite(wait: float) -> None:
    with pytest.raises(InputError, match="--max-wait-ms"):
        Limits(wait_ms=wait)


def test_the_queue_must_hold_a_request() -> None:
    with pytest.raises(InputError, match="a queue of 3 texts cannot hold a request of 4"):
        Limits(queue=3, texts=4)
