"""A process for each system, so that systems can take turns and memory is measured separately."""

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import torch

from ..devices import peak_memory_mb
from ..errors import InputError
from ..progress import track

Settings = TypeVar("Settings")
Input = TypeVar("Input")


@dataclass(frozen=True)
class Timing:
    """Measurements of one run.

    seconds (float): Duration.
    done (int): The amount of work that the task returned.
    peak_mb (int): Peak memory of the process so far, on its device, in MiB.
    """

    seconds: float
    done: int
    peak_mb: int


class Worker(Generic[Input]):
    """A system in its own process. It is loaded when the constructor returns.

    name (str): Name for messages.
    load (Callable): Creates the task from `settings`; a function of a module. The task takes
        an input and returns the amount of work done.
    settings (Settings): The argument for `load`.
    gpu (int): Number of the GPU whose memory is measured, -1 for the machine's own.
    RAISES (InputError): If loading fails.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[Settings], Callable[[Input], int]],
        settings: Settings,
        gpu: int = -1,
    ) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._connection, remote = context.Pipe()
        arguments = remote, load, settings, gpu
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        remote.close()
        self._receive()

    def run(self, task_input: Input) -> Timing:
        """Run the task once. Loading is not timed.

        task_input (Input): The argument for the task.
        RETURNS (Timing): The measurements.
        RAISES (InputError): If the task fails.
        """
        self._connection.send(task_input)
        timing: Timing = self._receive()
        return timing

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()

    def _receive(self) -> Any:
        try:
            message = self._connection.recv()
        except EOFError:
            message = "its process ended"
        if isinstance(message, str):
            self.stop()
            raise InputError(f"{self.name}: {message}")
        return message


@contextmanager
def stopping(workers: Sequence[Worker[Input]]) -> Iterator[None]:
    """Stop workers at the end of a block."""
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


def take_turns(
    workers: Sequence[Worker[Input]], task_input: Input, rounds: int, label: str
) -> dict[str, list[Timing]]:
    """Let workers run the same input in turns.

    workers (Sequence[Worker]): The workers.
    task_input (Input): The argument for their tasks.
    rounds (int): Number of turns per worker.
    label (str): Label of the progress bar.
    RETURNS (dict[str, list[Timing]]): The measurements by the workers' names.
    """
    timings: dict[str, list[Timing]] = {worker.name: [] for worker in workers}
    turns = list(itertools.product(range(rounds), workers))
    for _, worker in track(turns, label, total=len(turns)):
        timings[worker.name].append(worker.run(task_input))
    return timings


def _serve(
    connection: Connection,
    load: Callable[[Settings], Callable[[Input], int]],
    settings: Settings,
    gpu: int,
) -> None:
    try:
        task = load(settings)
        connection.send(None)
        while True:
            task_input = connection.recv()
            started = time.perf_counter()
            done = task(task_input)
            if gpu >= 0:
                torch.cuda.synchronize(gpu)
            seconds = time.perf_counter() - started
            connection.send(Timing(seconds, done, peak_memory_mb(gpu)))
    except EOFError:  # the other process has ended
        return
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
