"""Checks before the application: bodies, tokens, host names, and the log."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from spacy.language import Language

from bert_ner.serving.access import allowed_hosts
from bert_ner.serving.app import make_app
from bert_ner.serving.guard import Guard
from bert_ner.serving.limits import Limits
from tests.serving.helpers import PATH, Client, Finder, Serve, error_of, running, send_raw


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each request's body that the guard has read."""
    sizes: list[int] = []
    read = Guard._read

    async def noting(self: Guard, headers: Any, receive: Any) -> Any:
        sizes.append(0)

        async def counting() -> Any:
            message = await receive()
            sizes[-1] += len(message.get("body", b""))
            return message

        return await read(self, headers, counting)

    monkeypatch.setattr(Guard, "_read", noting)
    return sizes


def test_a_body_over_the_limit_is_not_read(serve: Serve, bytes_read: list[int]) -> None:
    client = serve(chars=10, texts=3)
    limit = Limits(chars=10, texts=3).body_bytes
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n"
    answer = send_raw(client, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"larger than {limit:,} bytes".encode() in answer
    assert bytes_read == [0]


def test_a_body_in_chunks_is_read_to_the_limit(serve: Serve, bytes_read: list[int]) -> None:
    client = serve(chars=10, texts=3)
    limit = Limits(chars=10, texts=3).body_bytes
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    answer = send_raw(client, head.encode() + chunk * (limit // 4096 + 1))  # without an end
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert limit < bytes_read[0] < limit + 3 * 65_536

    def chunks() -> Iterator[bytes]:
        yield b'{"text": '
        yield b'"Oslo"}'

    headers = {"Content-Type": "application/json"}
    assert client.post(PATH, content=chunks(), headers=headers).status_code == 200


def test_a_body_that_does_not_arrive(serve: Serve) -> None:
    client = serve(body_seconds=0.1)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    answer = send_raw(client, head.encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.1 seconds" in answer


def test_the_token_is_needed_except_for_health_and_docs(serve: Serve, finder: Finder) -> None:
    client = serve(token="s3cret")
    body = {"text": "Oslo"}
    for header in ("", "s3cret", "Basic s3cret", "Bearer", "Bearer s3cre", "Bearer s3cret2"):
        for path in (PATH, PATH + "/", "/v1/model", "/nowhere", "/docs/"):
            response = client.post(path, json=body, headers={"Authorization": header})
            assert "Authorization: Bearer" in error_of(response, 401)
            assert response.headers["WWW-Authenticate"] == "Bearer"
    bad = client.post(PATH, json=body, headers={b"Authorization": b"Bearer \xff\xe9"})
    error_of(bad, 401)
    # the token is checked before the body
    error_of(client.post(PATH, content="{"), 401)
    assert finder.read == []
    for path in ("/health", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
    for header in ("Bearer s3cret", "bearer s3cret"):
        headers = {"Authorization": header}
        assert client.post(PATH, json=body, headers=headers).status_code == 200
    schema = client.get("/openapi.json").json()
    assert schema["paths"][PATH]["post"]["security"] == [{"HTTPBearer": []}]
    assert schema["paths"]["/v1/model"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in schema["paths"]["/health"]["get"]


def test_a_token_is_compared_in_constant_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, token: bytes) -> bool:
        compared.append((given, token))
        return False

    monkeypatch.setattr("bert_ner.serving.guard.hmac.compare_digest", compare)
    headers = {"Authorization": "Bearer s3cret"}
    error_of(serve(token="s3cret").get("/v1/model", headers=headers), 401)
    assert compared == [(b"s3cret", b"s3cret")]


def test_without_a_token_only_local_host_names_are_answered(nlp: Language) -> None:
    hosts = allowed_hosts("127.0.0.1", None)
    with running(make_app(nlp, hosts=hosts)) as address, httpx.Client(base_url=address) as client:
        for host in ("127.0.0.1", "127.0.0.1:8000", "LOCALHOST:1", "[::1]", "[::1]:8000"):
            assert client.get("/v1/model", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "127.0.0.1.evil.example:8000", "[::1].x", "", "::1"):
            for path in ("/v1/model", "/health", "/docs"):
                error = error_of(client.get(path, headers={"Host": host}), 403)
                assert "127.0.0.1, [::1], localhost only" in error
    assert allowed_hosts("127.0.0.1", "s3cret") == allowed_hosts("0.0.0.0", None) == []
    assert "[::1]" in allowed_hosts("[::1]", None)


def test_there_are_no_cors_headers(shared_client: Client) -> None:
    client = shared_client
    headers = {"Origin": "https://elsewhere.example"}
    response = client.post(PATH, json={"text": "Oslo"}, headers=headers)
    preflight = client.options(PATH, headers={**headers, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 405
    for one in (response, preflight):
        assert not [name for name in one.headers if name.startswith("access-control")]


def test_nothing_of_a_request_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    client = serve()
    client.post(f"{PATH}?text=secret", json={"text": "secret"})
    client.post(PATH, json={"text": "secret boom"})
    client.post(PATH, content="secret")
    client.get("/v1/secret?secret")
    monkeypatch.setattr("bert_ner.serving.routes._select", lambda *_: 1 / 0)
    failed = client.post(PATH, json={"text": "secret"})
    assert error_of(failed, 500) == "The service failed. Its log says where."
    ours = [r for r in caplog.records if r.name.startswith(("bert_ner", "uvicorn", "asyncio"))]
    log = "\n".join(logging.Formatter().format(record) for record in ours)
    assert "secret" not in log
    assert re.search(r"POST /v1/annotate 200 \d+ ms", log)
    assert "GET (another path) 404" in log
    assert "ZeroDivisionError in " in log
