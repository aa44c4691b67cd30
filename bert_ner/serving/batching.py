"""Batches of texts from many requests.

A model processes thirty sentences in little more time than five, but most requests have only
one. So texts wait in a queue, and one thread processes as many of them as a batch may have.
The next texts gather meanwhile. An idle model waits for more texts only briefly, counted from
the arrival of the first:

    0.0 ms  a text arrives             the model is idle and waits until 2.0 ms
    1.1 ms  three more arrive
    2.0 ms  the model processes 4
    9.0 ms  nine arrived meanwhile     the first at 3.0 ms: processed at once
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
Process = Callable[[list[str]], Sequence[Result | Exception]]


@dataclass(frozen=True)
class _Waiting(Generic[Result]):
    text: str
    since: float  # by the loop's clock, in seconds
    result: "asyncio.Future[Result | Exception]"


class Batcher(Generic[Result]):
    """A queue that passes texts from many callers to a function in batches.

    process (Callable): Takes texts and returns a result or an exception for each. Runs in one
        thread, one batch at a time.
    limits (Limits): `queue`, `batch`, `batch_chars` and `wait_ms` are used.
    """

    def __init__(self, process: Process[Result], limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self._waiting: deque[_Waiting[Result]] = deque()
        self._changed = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, "model")
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to process the queue in the running event loop."""
        self._worker = asyncio.create_task(self._work())

    def refuse(self) -> None:
        """Refuse new texts from now on. Signal handlers may call this."""
        self._closing = True

    async def close(self) -> None:
        """Refuse new texts, process the queue, and end the thread."""
        self.refuse()
        self._changed.set()
        if self._worker:
            await self._worker
        self._thread.shutdown()

    @property
    def closing(self) -> bool:
        """Whether new texts are refused, because of `refuse` or because the worker failed."""
        return self._closing or bool(self._worker and self._worker.done())

    async def submit(self, texts: Sequence[str]) -> list[Result | Exception]:
        """Process texts, in one batch or several.

        texts (Sequence[str]): The texts. If the caller is cancelled, those that still wait are
            dropped.
        RETURNS (list[Result | Exception]): The result or the exception for each text.
        RAISES (RequestError): 429 if the queue has no room for all texts, 503 if new texts
            are refused.
        """
        if self.closing:
            raise RequestError(503, "The service is shutting down.")
        if len(self._waiting) + len(texts) > self._limits.queue:
            raise RequestError(429, "Too many texts are waiting. Try again in a second.")
        loop = asyncio.get_running_loop()
        waiting = [_Waiting[Result](text, loop.time(), loop.create_future()) for text in texts]
        self._waiting += waiting
        self._changed.set()
        try:
            return list(await asyncio.gather(*(item.result for item in waiting)))
        except asyncio.CancelledError:  # make room for others
            self._waiting = deque(item for item in self._waiting if not item.result.cancelled())
            raise

    async def _work(self) -> None:
        while not (self._closing and not self._waiting):
            await self._gather()
            batch = self._take()
            if not batch:
                continue
            results = await self._run([item.text for item in batch])
            for item, result in zip(batch, results, strict=True):
                if not item.result.cancelled():
                    item.result.set_result(result)

    async def _run(self, texts: list[str]) -> Sequence[Result | Exception]:
        """Process texts in the thread. If the whole batch fails, every text gets the exception."""
        # the context holds thinc's current device
        run = copy_context().run
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._thread, run, self._process, texts
            )
            if len(results) != len(texts):
                raise RuntimeError(f"{len(results)} results for {len(texts)} texts")
        except Exception as error:
            return [error] * len(texts)
        return results

    async def _gather(self) -> None:
        """Wait for a text, then until a batch is full or its first text has waited `wait_ms`."""
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
        """Remove the next batch from the queue."""
        batch: list[_Waiting[Result]] = []
        chars = 0
        while self._waiting and len(batch) < self._limits.batch:
            chars += len(self._waiting[0].text)
            if batch and chars > self._limits.batch_chars:
                break
            item = self._waiting.popleft()
            if item.result.cancelled():
                chars -= len(item.text)
            else:
                batch.append(item)
        return batch
