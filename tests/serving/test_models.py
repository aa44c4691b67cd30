"""Validation of requests: what is wrong is explained and never quoted."""

from typing import Any

import pytest

from bert_ner.serving import models
from tests.serving.helpers import PATH, Client, Finder, error_of

BODY = models.BODY
UNICODE = "expected a string of valid Unicode."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", BODY),
        ("{", BODY),
        ("null", BODY),
        ("[]", BODY),
        ("{}", BODY),
        ('"secret"', BODY),
        ('{"text": "secret", "texts": []}', BODY),
        ('{"text": null}', f"text: {UNICODE}"),
        ('{"text": 7}', f"text: {UNICODE}"),
        ('{"text": "secret \\ud800"}', f"text: {UNICODE}"),
        ('{"text": {"secret": 1}}', f"text: {UNICODE}"),
        ('{"texts": "secret"}', "texts: expected a list of strings of valid Unicode."),
        ('{"texts": ["secret", 7]}', f"texts[1]: {UNICODE}"),
        ('{"texts": ["secret", "\\udc00\\ud800"]}', f"texts[1]: {UNICODE}"),
        ('{"text": "secret", "min_confidence": 2}', "min_confidence: expected a number from"),
        ('{"text": "secret", "min_confidence": NaN}', "min_confidence: expected a number from"),
        ('{"text": "secret", "min_confidence": "1"}', "min_confidence: expected a number from"),
        ('{"text": "secret", "tokens": 1}', "tokens: expected true or false."),
        ('{"text": "x", "secret": 1}', "The body has an unknown key. Known keys: text"),
        ('{"text": "x", "\\ud800": 1}', BODY),
        ("[" * 20_000, BODY),
        ("9" * 5_000, BODY),
        ('{"text": "\xff"}', BODY),
    ],
)
def test_an_invalid_body(
    body: str, message: str, shared_client: Client, shared_finder: Finder
) -> None:
    headers = {"Content-Type": "application/json"}
    response = shared_client.post(PATH, content=body.encode("latin-1"), headers=headers)
    assert error_of(response, 422).startswith(message)
    assert "secret" not in response.text
    assert shared_finder.read == []


def test_a_body_without_the_content_type_of_json(shared_client: Client) -> None:
    headers = {"Content-Type": "text/plain"}
    response = shared_client.post(PATH, content='{"text": "secret"}', headers=headers)
    assert error_of(response, 422) == BODY


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"texts": [7] * 300_000}, "texts: 300,000 in one request"),
        ({str(i): 1 for i in range(100_000)}, "The body has an unknown key"),
    ],
)
def test_a_body_of_many_mistakes_is_refused_before_validation(
    body: Any, message: str, shared_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "explain_invalid", lambda errors: f"{len(errors)} errors")
    assert error_of(shared_client.post(PATH, json=body), 422).startswith(message)
    assert error_of(shared_client.post(PATH, json={"texts": [7, 7]}), 422) == "1 errors"
