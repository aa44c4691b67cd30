"""Texts of many requests, read by the model together.

A model reads thirty sentences in little more time than it takes for five, but a request
mostly brings one. So texts wait in a queue, and one thread takes as many as may be read
together. While it reads, the next gather. An idle model waits for others for a moment
only, counted from when the first text came:

    0.0 ms  a text comes          the model is idle, and waits until 2.0 ms
    1.1 ms  three more come
    2.0 ms  the model reads 4
    9.0 ms  nine came meanwhile   the first of them at 3.0 ms: read at once
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from .limits import Limits, RequestError

Result = TypeVar("Result")
Run = Callable[[list[str]], Sequence[Result | Exception]]


@dataclass(frozen=True)
class _Waiting(Generic[Result]):
    text: str
    since: float  # by the loop's clock, in seconds
    result: "asyncio.Future[Result | Exception]"


class Batcher(Generic[Result]):
    """Runs a function on texts from many callers, on some of them at a time.

    run (Callable): Takes texts and returns, for each, a result or what went wrong with
        it. Runs in one thread, a batch at a time.
    limits (Limits): Of them `queue`, `batch`, `batch_chars` and `wait_ms`.
    """

    def __init__(self, run: Run[Result], limits: Limits) -> None:
        self._run = run
        self._limits = limits
        self._waiting: deque[_Waiting[Result]] = deque()
        self._changed = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, "model")
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to run what waits, in the running loop."""
        self._worker = asyncio.create_task(self._work())

    def refuse(self) -> None:
        """Take no more texts from now on. A handler of signals may call this."""
        self._closing = True

    async def close(self) -> None:
        """Take no more texts, run those that wait, and end the thread."""
        self.refuse()
        self._changed.set()
        if self._worker:
            await self._worker
        self._thread.shutdown()

    @property
    def closing(self) -> bool:
        """Whether no more texts are taken: that was said, or what runs them has failed."""
        return self._closing or bool(self._worker and self._worker.done())

    async def submit(self, texts: Sequence[str]) -> list[Result | Exception]:
        """Have texts run, in one batch or in several.

        texts (Sequence[str]): The texts. Those that still wait when the caller is
            cancelled are dropped.
        RETURNS (list[Result | Exception]): For each text its result, or what went wrong.
        RAISES (RequestError): 429 if the queue has no room for all of them, 503 if no more
            are taken.
        """
        if self.closing:
            raise RequestError(503, "The service is shutting down.")
        if len(self._waiting) + len(texts) > self._limits.queue:
            raise RequestError(429, "Too many texts wait already. Try again in a second.")
        loop = asyncio.get_running_loop()
        waiting = [_Waiting[Result](text, loop.time(), loop.create_future()) for text in texts]
        self._waiting += waiting
        self._changed.set()
        try:
            return list(await asyncio.gather(*(one.result for one in waiting)))
        except asyncio.CancelledError:  # those that wait make room for others
            self._waiting = deque(one for one in self._waiting if not one.result.cancelled())
            raise

    async def _work(self) -> None:
        while not (self._closing and not self._waiting):
            await self._gather()
            batch = self._take()
            if not batch:
                continue
            results = await self._run_all([one.text for one in batch])
            for one, result in zip(batch, results, strict=True):
                if not one.result.cancelled():
                    one.result.set_result(result)

    async def _run_all(self, texts: list[str]) -> Sequence[Result | Exception]:
        """Run texts in the thread. What fails as a whole is the result of each."""
        # the context has the device that thinc computes on
        run = copy_context().run
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._thread, run, self._run, texts
            )
            if len(results) != len(texts):
                raise RuntimeError(f"{len(results)} results for {len(texts)} texts")
        except Exception as error:
            return [error] * len(texts)
        return results

    async def _gather(self) -> None:
        """Wait for a text, then until a batch is full or its first text has waited enough."""
        while not self._waiting and not self._closing:
            self._changed.clear()
            await self._changed.wait()
        if not self._waiting:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._waiting[0].since + self._limits.wait_ms / 1000):
                while len(self._waiting) < self._limits.batch and not self._closing:
                    self._changed.clear()
                    await self._changed.wait()

    def _take(self) -> list[_Waiting[Result]]:
        """The texts that come next and may be run together."""
        batch: list[_Waiting[Result]] = []
        chars = 0
        while self._waiting and len(batch) < self._limits.batch:
            chars += len(self._waiting[0].text)
            if batch and chars > self._limits.batch_chars:
                break
            one = self._waiting.popleft()
            if one.result.cancelled():
                chars -= len(one.text)
            else:
                batch.append(one)
        return batch
