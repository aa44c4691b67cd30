"""Requests and responses of each path, over real connections."""

import json
import threading

import httpx
import pytest
import spacy
from spacy.language import Language

from bert_ner.annotation.annotator import annotate
from bert_ner.annotation.records import Annotation
from bert_ner.serving import models
from bert_ner.serving.app import make_app
from tests.serving.helpers import PATH, Client, Finder, Serve, error_of, running, until


def test_one_text_gives_its_annotation(shared_client: Client, nlp: Language) -> None:
    response = shared_client.post(PATH, json={"text": "Ann left Oslo."})
    assert response.status_code == 200
    assert response.json() == annotate(nlp, ["Ann left Oslo."])[0]
    assert response.json()["spans"][1] == {
        **{"start": 9, "end": 13, "token_start": 2, "token_end": 2},
        **{"label": "LOC", "score": 0.99},
    }
    models.Annotation.model_validate(response.json(), extra="forbid")


def test_several_texts_give_annotations_in_order(serve: Serve) -> None:
    texts = ["Oslo", "", "Ann", "  ", "Oslo", *(f"Ann {i}" for i in range(20))]
    response = serve(batch=3, wait_ms=0).post(PATH, json={"texts": texts})
    assert [result["text"] for result in response.json()["results"]] == texts
    models.Annotations.model_validate(response.json(), extra="forbid")


def test_no_texts_give_no_annotations(shared_client: Client) -> None:
    assert shared_client.post(PATH, json={"texts": []}).json() == {"results": []}


def test_uncertain_entities_and_tokens_are_left_out_on_request(shared_client: Client) -> None:
    body = {"text": "Ann left Oslo.", "min_confidence": 0.99, "tokens": False}
    answer = shared_client.post(PATH, json=body).json()
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
    text: str, entity: str, shared_client: Client
) -> None:
    for escaped in (True, False):
        body = json.dumps({"text": text}, ensure_ascii=escaped).encode()
        headers = {"Content-Type": "application/json"}
        answer = shared_client.post(PATH, content=body, headers=headers).json()
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


def test_a_full_queue(serve: Serve, finder: Finder) -> None:
    client = serve(queue=2, texts=2)
    answers: list[int] = []

    def send(body: object) -> None:
        answers.append(client.post(PATH, json=body).status_code)

    threads = [threading.Thread(target=send, args=[{"text": "stop"}])]
    threads[0].start()
    until(lambda: finder.read)
    threads.append(threading.Thread(target=send, args=[{"texts": ["a", "b"]}]))
    threads[1].start()
    until(lambda: client.waiting() == 2)
    response = client.post(PATH, json={"texts": ["x", "secret"]})
    assert error_of(response, 429).startswith("Too many texts are waiting")
    assert response.headers["Retry-After"] == "1"
    finder.resume.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert "secret" not in finder.read


def test_a_failing_text_does_not_affect_its_batch(
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
    finder.resume.set()
    for thread in threads:
        thread.join()
    assert 2 in finder.batches  # they were together
    assert answers["Oslo"].json()["spans"][0]["label"] == "LOC"
    assert error_of(answers["boom!"], 500) == "The pipeline failed on text."
    several = client.post(PATH, json={"texts": ["Oslo", "boom!"]})
    assert error_of(several, 500) == "The pipeline failed on texts[1]. Send the other texts again."
    assert "boom!" not in caplog.text
    assert "ValueError" in caplog.text


def test_the_text_of_a_disconnected_client_is_dropped(serve: Serve, finder: Finder) -> None:
    client = serve()
    first = threading.Thread(target=client.post, args=[PATH], kwargs={"json": {"text": "stop"}})
    first.start()
    until(lambda: finder.read)
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={"text": "gone"}, timeout=0.3)
    until(lambda: all(one.result.cancelled() for one in client.app.state.batcher._waiting))
    finder.resume.set()
    first.join()
    assert client.post(PATH, json={"text": "later"}).status_code == 200
    assert finder.read == ["stop", "later"]


def test_a_disconnected_client_makes_room_in_the_queue(serve: Serve, finder: Finder) -> None:
    client = serve(queue=1, texts=1)
    first = threading.Thread(target=client.post, args=[PATH], kwargs={"json": {"text": "stop"}})
    first.start()
    until(lambda: finder.read)
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={"text": "gone"}, timeout=0.3)
    until(lambda: client.waiting() == 0)
    with pytest.raises(httpx.ReadTimeout):  # taken, not refused
        client.post(PATH, json={"text": "taken"}, timeout=0.3)
    finder.resume.set()
    first.join()


def test_health_fails_if_the_worker_has_failed(serve: Serve) -> None:
    client = serve()
    batcher = client.app.state.batcher
    batcher._worker.get_loop().call_soon_threadsafe(batcher._worker.cancel)
    until(lambda: batcher._worker.done())
    assert "has failed" in error_of(client.get("/health"), 503)
    error_of(client.post(PATH, json={"text": "Oslo"}), 503)
    batcher._worker = None  # nothing to wait for at the end


def test_concurrent_requests_share_batches_and_get_the_offline_annotations(
    serve: Serve, nlp: Language, finder: Finder
) -> None:
    client = serve(batch=8, wait_ms=20)
    texts = [f"{'Ann ' * (i % 4)}left {'Oslo ' * (i % 3)}{i}" for i in range(80)]
    answers: dict[str, Annotation] = {}

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


def test_other_paths_and_methods(shared_client: Client) -> None:
    client = shared_client
    assert "See /docs" in error_of(client.get("/nowhere"), 404)
    assert "See /docs" in error_of(client.post(PATH + "/", json={"text": "x"}), 404)
    response = client.get(PATH)
    error_of(response, 405)
    assert response.headers["Allow"] == "POST"


def test_a_pipeline_without_scores() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Oslo"}])
    with running(make_app(nlp)) as address, httpx.Client(base_url=address) as client:
        answer = client.post(PATH, json={"text": "Oslo"}).json()
        assert list(answer["spans"][0]) == ["start", "end", "token_start", "token_end", "label"]
        asked = client.post(PATH, json={"text": "Oslo", "min_confidence": 0.5})
        assert error_of(asked, 422) == "min_confidence: the pipeline gives no scores. Leave it out."
        assert not client.get("/v1/model").json()["gives_scores"]
