"""Workers time their tasks, take turns, and report errors."""

import time
from collections.abc import Callable
from multiprocessing import Pipe
from threading import Thread
from typing import Any

import pytest

from bert_ner.benchmark.worker import Timing, Worker, _serve, stopping, take_turns
from bert_ner.errors import InputError


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return 7


def load_sleep(_: None) -> Callable[[float], int]:
    time.sleep(0.5)  # is not timed
    return sleep


def load_nothing(_: None) -> Callable[[float], int]:
    raise OSError("no such model")


@pytest.mark.slow
def test_a_worker_times_only_the_task_and_reports_errors() -> None:
    worker: Worker[Any] = Worker("sleeper", load_sleep, None)
    timing = worker.run(0.3)
    assert 0.3 <= timing.seconds < 0.8
    assert (timing.done, timing.peak_mb > 10) == (7, True)
    with pytest.raises(InputError, match="sleeper: TypeError"):
        worker.run("soon")
    with pytest.raises(InputError, match="broken: OSError: no such model"):
        Worker("broken", load_nothing, None)


def test_the_process_of_a_worker_times_only_the_task_and_reports_errors() -> None:
    ours, remote = Pipe()
    thread = Thread(target=_serve, args=(remote, load_sleep, None, -1))
    thread.start()
    assert ours.recv() is None
    ours.send(0.1)
    timing = ours.recv()
    assert 0.1 <= timing.seconds < 0.4
    assert timing.done == 7
    assert timing.peak_mb > 10
    ours.send("soon")
    assert ours.recv().startswith("TypeError: ")
    thread.join(10)
    assert not thread.is_alive()


class Recording:
    """A worker that records its runs."""

    runs: list[str] = []  # noqa: RUF012
    stopped: list[str] = []  # noqa: RUF012

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, task_input: int) -> Timing:
        self.runs.append(self.name)
        return Timing(1.0, task_input, 1)

    def stop(self) -> None:
        self.stopped.append(self.name)


def test_workers_take_turns_and_are_stopped_on_errors() -> None:
    workers: list[Any] = [Recording("a"), Recording("b")]
    timings = take_turns(workers, 5, 2, "turns")
    assert Recording.runs == ["a", "b", "a", "b"]
    assert timings == {name: [Timing(1.0, 5, 1)] * 2 for name in ("a", "b")}
    with pytest.raises(InputError), stopping(workers):
        raise InputError("failed")
    assert Recording.stopped == ["a", "b"]
