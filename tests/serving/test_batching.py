"""Batches gather texts in order and within the limits."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from bert_ner.serving.batching import Batcher
from bert_ner.serving.limits import Limits, RequestError


class Upper:
    """A function that converts texts to upper case; each batch waits for `resume`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.resume = threading.Event()
        self.resume.set()

    def __call__(self, texts: list[str]) -> list[str | Exception]:
        self.batches.append(texts)
        assert self.resume.wait(10)
        if "crash" in texts:
            raise RuntimeError
        if "few" in texts:
            return []
        return [ValueError() if text == "boom" else text.upper() for text in texts]


def run(work: Callable[[Upper, Batcher[str]], Awaitable[None]], **limits: Any) -> Upper:
    """Run a test with a batcher, which is closed at the end."""
    upper = Upper()

    async def main() -> None:
        batcher: Batcher[str] = Batcher(upper, Limits(**limits))
        batcher.start()
        try:
            await work(upper, batcher)
        finally:
            upper.resume.set()
            await batcher.close()

    asyncio.run(asyncio.wait_for(main(), 20))
    return upper


async def busy(upper: Upper, batcher: Batcher[str]) -> "asyncio.Task[Any]":
    """Submit a text that keeps the model busy."""
    upper.resume.clear()
    first = start(batcher.submit(["first"]))
    while not upper.batches:
        await asyncio.sleep(0.001)
    return first


def start(work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    return asyncio.create_task(work)


def test_texts_that_arrive_while_the_model_is_busy_share_batches_in_order() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        first = await busy(upper, batcher)
        others = [start(batcher.submit([f"a{i}", f"b{i}"])) for i in range(3)]
        await asyncio.sleep(0.05)
        upper.resume.set()
        assert await first == ["FIRST"]
        assert [await other for other in others] == [[f"A{i}", f"B{i}"] for i in range(3)]

    upper = run(work, batch=4)
    # the second request spans two batches
    assert upper.batches == [["first"], ["a0", "b0", "a1", "b1"], ["a2", "b2"]]


def test_an_idle_model_waits_briefly_for_more_texts() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        first = start(batcher.submit(["a"]))
        await asyncio.sleep(0.05)
        assert upper.batches == []
        assert await batcher.submit(["b"]) == ["B"]
        assert await first == ["A"]

    assert run(work, wait_ms=400).batches == [["a", "b"]]


def test_a_full_batch_does_not_wait() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        await asyncio.wait_for(batcher.submit(["a", "b"]), 5)

    assert run(work, batch=2, wait_ms=60_000).batches == [["a", "b"]]


def test_batches_of_one() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        assert await batcher.submit(["a", "b", "c"]) == ["A", "B", "C"]

    assert run(work, batch=1).batches == [["a"], ["b"], ["c"]]


def test_a_batch_is_limited_in_characters_but_has_at_least_one_text() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        await batcher.submit(["aaaa", "bb", "c", "dd", "eeeeeeee"])

    assert run(work, batch_chars=4).batches == [["aaaa"], ["bb", "c"], ["dd"], ["eeeeeeee"]]


def test_a_full_queue_accepts_all_texts_of_a_request_or_none() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        first = await busy(upper, batcher)
        second = start(batcher.submit(["a", "b"]))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="texts are waiting") as caught:
            await batcher.submit(["c", "d"])
        assert caught.value.status == 429
        third = start(batcher.submit(["e"]))
        await asyncio.sleep(0)
        upper.resume.set()
        assert [await task for task in (first, second, third)] == [["FIRST"], ["A", "B"], ["E"]]

    assert run(work, queue=3, texts=2).batches == [["first"], ["a", "b", "e"]]


def test_cancelled_texts_are_dropped() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        first = await busy(upper, batcher)
        gone, stays = start(batcher.submit(["gone"])), start(batcher.submit(["stays"]))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()  # it is being processed: its result is dropped
        await asyncio.sleep(0)
        upper.resume.set()
        assert await stays == ["STAYS"]

    assert run(work).batches == [["first"], ["stays"]]


def test_cancelled_texts_make_room() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        await busy(upper, batcher)
        gone = start(batcher.submit(["a", "b"]))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="texts are waiting"):
            await batcher.submit(["c"])
        gone.cancel()
        await asyncio.wait([gone])
        stays = start(batcher.submit(["c", "d"]))
        await asyncio.sleep(0)
        upper.resume.set()
        assert await stays == ["C", "D"]

    assert run(work, queue=2, texts=2).batches == [["first"], ["c", "d"]]


def test_an_exception_is_the_result_of_its_text_or_of_the_whole_batch() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        good, bad = await batcher.submit(["a", "boom"])
        assert good == "A"
        assert isinstance(bad, ValueError)
        both = await batcher.submit(["b", "crash"])
        assert all(isinstance(one, RuntimeError) for one in both)
        few = await batcher.submit(["c", "few"])
        assert [str(one) for one in few] == ["0 results for 2 texts"] * 2
        assert await batcher.submit(["d"]) == ["D"]

    run(work)


def test_close_processes_the_queue_and_refuses_new_texts() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        first = await busy(upper, batcher)
        waiting = [start(batcher.submit([str(i)])) for i in range(5)]
        await asyncio.sleep(0)
        closing = start(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="shutting down") as caught:
            await batcher.submit(["late"])
        assert caught.value.status == 503
        upper.resume.set()
        await closing
        assert first.done()
        assert [task.result() for task in waiting] == [[str(i)] for i in range(5)]

    assert run(work, batch=2).batches == [["first"], ["0", "1"], ["2", "3"], ["4"]]


def test_no_texts_need_no_batch() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        assert await batcher.submit([]) == []

    assert run(work).batches == []


def test_a_cancelled_text_takes_no_characters_of_a_batch() -> None:
    async def work(upper: Upper, batcher: Batcher[str]) -> None:
        gone, *others = (start(batcher.submit([text])) for text in ("aaaa", "bb", "cc"))
        await asyncio.sleep(0)
        gone.cancel()  # the next batch is taken before its text is dropped
        assert [await other for other in others] == [["BB"], ["CC"]]

    assert run(work, batch=3, batch_chars=4).batches == [["bb", "cc"]]
