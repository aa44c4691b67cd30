"""A process for each system, so that its memory is its own and all can take turns."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from ..devices import peak_memory_mb
from ..errors import InputError

Task = Callable[[Any], int]  # from what is sent to how much was done


@dataclass(frozen=True)
class Timing:
    """What one run took."""

    seconds: float
    done: int  # what the task returned
    peak_mb: int  # of the process so far, on the device


class Worker:
    """A system in a process of its own.

    name (str): Its name, for messages.
    load (Callable): Makes the task, given `settings`. Must be a function of a module.
    settings (Any): What `load` is given.
    gpu (int): The GPU whose memory is watched, -1 for the machine's own.
    """

    def __init__(
        self, name: str, load: Callable[[Any], Task], settings: Any, gpu: int = -1
    ) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        given = theirs, load, settings, gpu
        self._process = context.Process(target=_serve, args=given, daemon=True)
        self._process.start()
        theirs.close()
        self._receive()  # it is loaded

    def run(self, given: Any) -> Timing:
        """Do the task once; loading is not timed."""
        self._connection.send(given)
        timing: Timing = self._receive()
        return timing

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()

    def _receive(self) -> Any:
        try:
            found = self._connection.recv()
        except EOFError:
            found = "its process ended"
        if isinstance(found, str):
            self.stop()
            raise InputError(f"{self.name}: {found}")
        return found


def _serve(connection: Connection, load: Callable[[Any], Task], settings: Any, gpu: int) -> None:
    try:
        task = load(settings)
        connection.send(None)
        while True:
            given = connection.recv()
            started = time.perf_counter()
            done = task(given)
            if gpu >= 0:
                torch.cuda.synchronize(gpu)
            seconds = time.perf_counter() - started
            connection.send(Timing(seconds, done, peak_memory_mb(gpu)))
    except EOFError:  # nobody waits any more
        return
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
