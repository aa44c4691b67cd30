"""Every answer of the service, over real connections."""

import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import spacy
from spacy.language import Language

from bert_ner.annotation.annotator import annotate
from bert_ner.errors import InputError
from bert_ner.serving import models
from bert_ner.serving.access import hosts_of
from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits
from tests.serving.conftest import Finder, Serve, running, until

PATH = "/v1/annotate"


def error_of(response: httpx.Response, status: int) -> str:
    """The one sentence of an error."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    message: str = response.json()["error"]
    return message


def send_raw(client: httpx.Client, data: bytes) -> bytes:
    """Send bytes as they are, and read until the other side hangs up."""
    assert client.base_url.port
    with socket.create_connection((client.base_url.host, client.base_url.port), 10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_one_text_gives_its_annotation(serve: Serve, nlp: Language) -> None:
    response = serve().post(PATH, json={"text": "Ann left Oslo."})
    assert response.status_code == 200
    assert response.json() == annotate(nlp, ["Ann left Oslo."])[0]
    assert response.json()["spans"][1] == {
        **{"start": 9, "end": 13, "token_start": 2, "token_end": 2},
        **{"label": "LOC", "score": 0.99},
    }
    models.Annotation.model_validate(response.json(), extra="forbid")


def test_several_texts_give_theirs_in_order(serve: Serve) -> None:
    texts = ["Oslo", "", "Ann", "  ", "Oslo", *(f"Ann {i}" for i in range(20))]
    response = serve(batch=3, wait_ms=0).post(PATH, json={"texts": texts})
    assert [result["text"] for result in response.json()["results"]] == texts
    models.Annotations.model_validate(response.json(), extra="forbid")


def test_no_texts_give_no_annotations(serve: Serve) -> None:
    assert serve().post(PATH, json={"texts": []}).json() == {"results": []}


def test_less_sure_entities_and_tokens_are_left_out_if_wanted(serve: Serve) -> None:
    wanted = {"text": "Ann left Oslo.", "min_confidence": 0.99, "tokens": False}
    answer = serve().post(PATH, json=wanted).json()
    assert list(answer) == ["text", "spans"]
    assert [span["label"] for span in answer["spans"]] == ["LOC"]


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("😀👩‍👩‍👧 Oslo 😀", "Oslo"),
        ("ذهب إلى أوسلو .", "أوسلو"),
        ("\u202eAnn \u0000 e\u0301", "Ann"),
    ],
)
def test_offsets_count_characters_of_the_text_as_given(
    text: str, entity: str, serve: Serve
) -> None:
    for escaped in (True, False):
        body = json.dumps({"text": text}, ensure_ascii=escaped).encode()
        headers = {"Content-Type": "application/json"}
        answer = serve().post(PATH, content=body, headers=headers).json()
        assert answer["text"] == text
        found = [text[span["start"] : span["end"]] for span in answer["spans"]]
        assert found == ([entity] if "\u202e" not in text else found)


def test_an_answer_is_sent_at_once(serve: Serve) -> None:
    client = serve(wait_ms=0)
    took = [client.post(PATH, json={"text": "Oslo"}).elapsed.total_seconds() for _ in range(60)]
    assert min(took[40:]) < 0.03  # each would be 40 ms, but for a connection's first: see bind


def test_health_and_model(serve: Serve) -> None:
    client = serve(chars=50)
    assert client.get("/health").json() == {"status": "ok"}
    model = client.get("/v1/model").json()
    assert model["labels"] == ["LOC", "PER"]
    assert model["gives_scores"]
    assert model["limits"] == {"chars": 50, "texts": 32}


def test_the_model_tells_of_its_training_but_no_folder(nlp: Language) -> None:
    nlp.meta["sources"] = [{"name": "CoNLL-2003"}]
    nlp.meta["training"] = {"recipe": "config", "encoder": "/home/ann/bert", "where": "/home"}
    nlp.meta["performance"] = {"ents_f": 0.9, "speed": 10, "ner_loss": float("nan")}
    nlp.meta["notes"] = "from /home/ann"
    with running(make_app(nlp)) as address:
        model = httpx.get(f"{address}/v1/model", trust_env=False)
    assert "/home" not in model.text
    assert model.json()["training"]["encoder"] == "bert"
    assert model.json()["trained_on"] == "CoNLL-2003"
    assert model.json()["performance"] == {"ents_f": 0.9}


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
        ('{"text": "x", "secret": 1}', "There is a key that the service does not know; it knows"),
        ('{"text": "x", "\\ud800": 1}', BODY),
        ("[" * 20_000, BODY),
        ("9" * 5_000, BODY),
        ('{"text": "\xff"}', BODY),
    ],
)
def test_a_body_that_is_not_understood(
    body: str, message: str, serve: Serve, finder: Finder
) -> None:
    headers = {"Content-Type": "application/json"}
    response = serve().post(PATH, content=body.encode("latin-1"), headers=headers)
    assert error_of(response, 422).startswith(message)
    assert "secret" not in response.text
    assert finder.read == []


def test_a_body_that_does_not_say_that_it_is_json(serve: Serve) -> None:
    headers = {"Content-Type": "text/plain"}
    response = serve().post(PATH, content='{"text": "secret"}', headers=headers)
    assert error_of(response, 422) == BODY


def test_texts_over_a_limit_never_reach_the_model(serve: Serve, finder: Finder) -> None:
    client = serve(chars=10, texts=3)
    for text in ("x" * 11, "😀" * 11):
        message = error_of(client.post(PATH, json={"text": text}), 413)
        assert message.startswith("text: 11 characters, and at most 10 are taken.")
        message = error_of(client.post(PATH, json={"texts": ["fine", text]}), 413)
        assert message.startswith("texts[1]: 11 characters")
    message = error_of(client.post(PATH, json={"texts": ["x"] * 4}), 422)
    assert message.startswith("texts: 4 in one request, and at most 3 are taken.")
    assert finder.read == []
    assert client.post(PATH, json={"texts": ["😀" * 10] * 3}).status_code == 200
    assert finder.read == ["😀" * 10] * 3


def test_a_word_over_the_limit_never_reaches_the_model(serve: Serve, finder: Finder) -> None:
    client = serve(word=10)
    message = error_of(client.post(PATH, json={"texts": ["x y", "a\n" + "(" * 11]}), 413)
    assert message.startswith("texts[1]: 11 characters without white space between them, and at")
    assert finder.read == []
    assert client.post(PATH, json={"text": "(" * 10 + "\u00a0" + "😀" * 10}).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"texts": [7] * 300_000}, "texts: 300,000 in one request"),
        ({str(i): 1 for i in range(100_000)}, "There is a key"),
    ],
)
def test_a_body_of_many_mistakes_is_refused_before_they_are_found(
    body: Any, message: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "explain_invalid", lambda errors: f"{len(errors)} errors")
    assert error_of(serve().post(PATH, json=body), 422).startswith(message)
    assert error_of(serve().post(PATH, json={"texts": [7, 7]}), 422) == "1 errors"


def test_the_largest_request_within_the_limits_is_not_too_large(serve: Serve) -> None:
    body = json.dumps({"texts": ["😀" * 100] * 3, "min_confidence": 0.123456789, "tokens": False})
    headers = {"Content-Type": "application/json"}
    response = serve(chars=100, texts=3).post(PATH, content=body, headers=headers)
    assert response.status_code == 200


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of bodies were taken from the server, by request."""
    from bert_ner.serving.guard import Guard

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


def test_a_body_over_the_limit_is_not_read(serve: Serve, taken: list[int]) -> None:
    client = serve(chars=10, texts=3)
    limit = Limits(chars=10, texts=3).body_bytes
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n"
    answer = send_raw(client, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"larger than {limit:,} bytes".encode() in answer
    assert taken == [0]


def test_a_body_in_chunks_is_read_to_the_limit(serve: Serve, taken: list[int]) -> None:
    client = serve(chars=10, texts=3)
    limit = Limits(chars=10, texts=3).body_bytes
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    answer = send_raw(client, head.encode() + chunk * (limit // 4096 + 1))  # and no end
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert limit < taken[0] < limit + 3 * 65_536

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


def test_a_full_queue(serve: Serve, finder: Finder) -> None:
    client = serve(queue=2, texts=2)
    answers: list[int] = []

    def send(body: dict[str, Any]) -> None:
        answers.append(client.post(PATH, json=body).status_code)

    threads = [threading.Thread(target=send, args=[{"text": "stop"}])]
    threads[0].start()
    until(lambda: finder.read)
    threads.append(threading.Thread(target=send, args=[{"texts": ["a", "b"]}]))
    threads[1].start()
    until(lambda: client.waiting() == 2)
    response = client.post(PATH, json={"texts": ["x", "secret"]})
    assert error_of(response, 429).startswith("Too many texts wait")
    assert response.headers["Retry-After"] == "1"
    finder.go_on.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert "secret" not in finder.read


def test_a_text_that_the_model_fails_on_fails_alone(
    serve: Serve, finder: Finder, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(wait_ms=0)
    answers: dict[str, httpx.Response] = {}

    def send(text: str) -> None:
        answers[text] = client.post(PATH, json={"text": text})

    threads = [threading.Thread(target=send, args=[text]) for text in ("stop", "boom!", "Oslo")]
    threads[0].start()
    until(lambda: finder.read)
    for thread in threads[1:]:
        thread.start()
    until(lambda: client.waiting() == 2)
    finder.go_on.set()
    for thread in threads:
        thread.join()
    assert 2 in finder.batches  # they were together
    assert answers["Oslo"].json()["spans"][0]["label"] == "LOC"
    assert error_of(answers["boom!"], 500) == "The pipeline failed on text."
    several = client.post(PATH, json={"texts": ["Oslo", "boom!"]})
    assert error_of(several, 500) == "The pipeline failed on texts[1]. Send the others without."
    assert "boom!" not in caplog.text
    assert "ValueError" in caplog.text


def test_who_hangs_up_is_dropped(serve: Serve, finder: Finder) -> None:
    client = serve()
    first = threading.Thread(target=client.post, args=[PATH], kwargs={"json": {"text": "stop"}})
    first.start()
    until(lambda: finder.read)
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={"text": "gone"}, timeout=0.3)
    until(lambda: all(one.result.cancelled() for one in client.app.state.batcher._waiting))
    finder.go_on.set()
    first.join()
    assert client.post(PATH, json={"text": "later"}).status_code == 200
    assert finder.read == ["stop", "later"]


def test_who_hangs_up_makes_room(serve: Serve, finder: Finder) -> None:
    client = serve(queue=1, texts=1)
    first = threading.Thread(target=client.post, args=[PATH], kwargs={"json": {"text": "stop"}})
    first.start()
    until(lambda: finder.read)
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={"text": "gone"}, timeout=0.3)
    until(lambda: client.waiting() == 0)
    with pytest.raises(httpx.ReadTimeout):  # taken, not refused
        client.post(PATH, json={"text": "taken"}, timeout=0.3)
    finder.go_on.set()
    first.join()


def test_health_says_so_where_nothing_reads_texts(serve: Serve) -> None:
    client = serve()
    batcher = client.app.state.batcher
    batcher._worker.get_loop().call_soon_threadsafe(batcher._worker.cancel)
    until(lambda: batcher._worker.done())
    assert "has failed" in error_of(client.get("/health"), 503)
    error_of(client.post(PATH, json={"text": "Oslo"}), 503)
    batcher._worker = None  # nothing to wait for at the end


def test_many_at_once_are_read_together_and_answered_as_offline(
    serve: Serve, nlp: Language, finder: Finder
) -> None:
    client = serve(batch=8, wait_ms=20)
    texts = [f"{'Ann ' * (i % 4)}left {'Oslo ' * (i % 3)}{i}" for i in range(80)]
    answers: dict[str, Any] = {}

    def send(some: list[str]) -> None:
        for text in some:
            answers[text] = client.post(PATH, json={"text": text}).json()

    threads = [threading.Thread(target=send, args=[texts[i::16]]) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batches = finder.batches.copy()
    assert [answers[text] for text in texts] == annotate(nlp, texts)
    assert max(batches) <= 8
    assert len(batches) < 40


def test_a_token_opens_what_is_closed_without(serve: Serve, finder: Finder) -> None:
    client = serve(token="s3cret")
    body = {"text": "Oslo"}
    for header in ("", "s3cret", "Basic s3cret", "Bearer", "Bearer s3cre", "Bearer s3cret2"):
        for path in (PATH, PATH + "/", "/v1/model", "/nowhere", "/docs/"):
            response = client.post(path, json=body, headers={"Authorization": header})
            assert "Authorization: Bearer" in error_of(response, 401)
            assert response.headers["WWW-Authenticate"] == "Bearer"
    bad = client.post(PATH, json=body, headers={b"Authorization": b"Bearer \xff\xe9"})
    error_of(bad, 401)
    # nothing of a body is read before
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


def test_only_its_own_names_are_answered_where_there_is_no_token(nlp: Language) -> None:
    hosts = hosts_of("127.0.0.1", None)
    with running(make_app(nlp, hosts=hosts)) as address, httpx.Client(base_url=address) as client:
        for host in ("127.0.0.1", "127.0.0.1:8000", "LOCALHOST:1", "[::1]", "[::1]:8000"):
            assert client.get("/v1/model", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "127.0.0.1.evil.example:8000", "[::1].x", "", "::1"):
            for path in ("/v1/model", "/health", "/docs"):
                error = error_of(client.get(path, headers={"Host": host}), 403)
                assert "127.0.0.1, [::1], localhost only" in error
    assert hosts_of("127.0.0.1", "s3cret") == hosts_of("0.0.0.0", None) == []
    assert "[::1]" in hosts_of("[::1]", None)


def test_what_is_not_answered_in_time_at_the_end_is_refused(
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
        finder.go_on.set()

    with running(make_app(nlp)) as address:
        thread = threading.Thread(target=send, args=[address])
        thread.start()
        until(lambda: finder.read)
    thread.join()
    assert error_of(answers[0], 503) == "The service is shutting down."
    assert "POST /v1/annotate 503" in caplog.text
    assert "Traceback" not in caplog.text


def test_other_paths_and_methods(serve: Serve) -> None:
    client = serve()
    assert "See /docs" in error_of(client.get("/nowhere"), 404)
    assert "See /docs" in error_of(client.post(PATH + "/", json={"text": "x"}), 404)
    response = client.get(PATH)
    error_of(response, 405)
    assert response.headers["Allow"] == "POST"


def test_no_page_of_another_site_may_read_the_answers(serve: Serve) -> None:
    client = serve()
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
    monkeypatch.setattr("bert_ner.serving.app._as_wanted", lambda *_: 1 / 0)
    failed = client.post(PATH, json={"text": "secret"})
    assert error_of(failed, 500) == "The service failed. Its log says where."
    ours = [r for r in caplog.records if r.name.startswith(("bert_ner", "uvicorn", "asyncio"))]
    said = "\n".join(logging.Formatter().format(record) for record in ours)
    assert "secret" not in said
    assert re.search(r"POST /v1/annotate 200 \d+ ms", said)
    assert "GET (another path) 404" in said
    assert "ZeroDivisionError in " in said


def test_a_pipeline_without_scores() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Oslo"}])
    with running(make_app(nlp)) as address, httpx.Client(base_url=address) as client:
        answer = client.post(PATH, json={"text": "Oslo"}).json()
        assert list(answer["spans"][0]) == ["start", "end", "token_start", "token_end", "label"]
        asked = client.post(PATH, json={"text": "Oslo", "min_confidence": 0.5})
        assert error_of(asked, 422) == "min_confidence: the pipeline gives no scores. Leave it out."
        assert not client.get("/v1/model").json()["gives_scores"]


def test_the_page_needs_nothing_from_elsewhere_and_says_it_all(serve: Serve) -> None:
    client = serve(chars=1_234)
    response = client.get("/docs")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<script|https?://", response.text)
    schema = client.get("/openapi.json").json()
    for name in (*schema["paths"], *schema["components"]["schemas"]):
        assert name in response.text
    assert "at most 1,234 characters" in response.text
    fields = schema["components"]["schemas"]["Request"]["properties"]
    assert fields["text"]["maxLength"] == fields["texts"]["items"]["maxLength"] == 1_234
    assert fields["texts"]["maxItems"] == 32
    annotated = schema["paths"][PATH]["post"]["responses"]
    assert set(annotated) == {"200", "401", "403", "408", "413", "422", "429", "500", "503"}
    assert not {"HTTPValidationError", "ValidationError"} & set(schema["components"]["schemas"])


def test_texts_longer_than_the_pipeline_reads(nlp: Language) -> None:
    with pytest.raises(InputError, match="--max-chars 1000001: the pipeline reads 1,000,000"):
        make_app(nlp, Limits(chars=1_000_001))


@pytest.mark.parametrize("wait", [float("nan"), float("inf")])
def test_a_wait_is_a_number(wait: float) -> None:
    with pytest.raises(InputError, match="--max-wait-ms"):
        Limits(wait_ms=wait)


def test_limits_that_no_request_could_meet() -> None:
    with pytest.raises(InputError, match="a queue of 3 texts cannot hold a request of 4"):
        Limits(queue=3, texts=4)
