"""Annotating a large input into a file, so that a crash loses nothing.

While it runs, what is done stands in `<output>.partial`, what failed in
`<output>.failed.partial`, and how much of both counts in `<output>.progress`,
which is replaced after each batch. A run that finds them goes on from there:
it cuts off what was written after the last complete batch, and skips the
records that are done. Batches are cut at fixed record numbers, and so an output
that was begun anew ten times is, byte for byte, that of a run in one go.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..errors import InputError
from ..files import read_json, remove, write_json
from .inputs import Failure, Record
from .outputs import Format
from .workers import Batch, Done

RECORDS = 256  # of a batch


@dataclass
class Progress:
    """What of an input is done."""

    records: int = 0  # read, with those that failed
    failed: int = 0
    bytes: int = 0  # of the output that count
    failed_bytes: int = 0
    complete: bool = False


class Output:
    """A file that grows batch by batch.

    path (Path): Where it is to stand in the end.
    job (dict[str, Any]): What decides what is written. A run goes on only if it is the same.
    how (Format): How the file begins and ends.
    """

    def __init__(self, path: Path, job: dict[str, Any], how: Format) -> None:
        self.path, self.job, self.how = path, job, how
        self.partial, self.failed_partial, self.failed, self.journal, self.lock = (
            path.with_name(f"{path.name}.{end}")
            for end in ("partial", "failed.partial", "failed.jsonl", "progress", "lock")
        )
        self.progress = Progress()

    @contextmanager
    def opened(self, *, restart: bool = False) -> Iterator["Output"]:
        """Go on where the last run ended, or begin.

        restart (bool): Begin, whatever an earlier run has done.
        RAISES (InputError): If another run is writing, or was begun in another way.
        """
        if self.path.is_dir():
            raise InputError(f"{self.path}: is a folder. Name a file.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(f"{self.path}: another run is writing it. Wait for it.") from error
            if restart:
                remove(self.journal)
            try:
                self._read_journal()
                if self.progress.complete:  # killed while it put the files in their places
                    yield self
                    return
                with (
                    self.partial.open("ab") as self._good,
                    self.failed_partial.open("ab") as self._bad,
                ):
                    self._cut(self._good, self.progress.bytes)
                    self._cut(self._bad, self.progress.failed_bytes)
                    yield self
            finally:
                if not self.journal.exists():  # nothing is left to go on with
                    for path in (self.partial, self.failed_partial, self.lock):
                        remove(path)

    def _cut(self, file: IO[bytes], size: int) -> None:
        if file.tell() < size:
            raise InputError(f"{file.name}: is shorter than it was. Say --restart to begin anew.")
        file.truncate(size)

    def _read_journal(self) -> None:
        if not self.journal.exists():
            return
        try:
            found = read_json(self.journal)
            job, self.progress = found["job"], Progress(**found["progress"])
        except (InputError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.journal}: cannot be read. Say --restart to begin anew."
            ) from error
        differing = [key for key in self.job if job.get(key) != self.job[key]]
        if differing:
            raise InputError(
                f"{self.path}: a run of it was begun with another {', '.join(differing)}. "
                "Go on as it was begun, or say --restart to begin anew."
            )

    def add(self, done: Done) -> None:
        """Write a batch, and then that it is written.

        done (Done): What is to be written of the next records.
        """
        progress = self.progress
        for item in done:
            if isinstance(item, Failure):
                progress.failed_bytes += _write(self._bad, json.dumps(asdict(item)) + "\n")
                progress.failed += 1
            else:
                before = self.how.between if progress.bytes else self.how.head
                progress.bytes += _write(self._good, before + item)
        progress.records += len(done)
        self._save()

    def _save(self) -> None:
        for file in (self._good, self._bad):
            file.flush()
            os.fsync(file.fileno())
        write_json(self.journal, {"job": self.job, "progress": asdict(self.progress)})

    def finish(self) -> None:
        """Put the file, and what failed, in their places."""
        progress = self.progress
        if not progress.complete:
            before = "" if progress.bytes else self.how.head
            progress.bytes += _write(self._good, before + self.how.foot)
            progress.complete = True
            self._save()
        if not progress.failed:
            remove(self.failed)
            remove(self.failed_partial)
        for partial, path in ((self.failed_partial, self.failed), (self.partial, self.path)):
            if partial.exists():
                partial.replace(path)
        if not self.path.exists():
            raise InputError(f"{self.partial}: somebody removed it. Say --restart to begin anew.")
        remove(self.journal)


def _write(file: IO[bytes], text: str) -> int:
    return file.write(text.encode())


def cut_batches(records: Iterable[Record | Failure], start: int) -> Iterator[Batch]:
    """Cut records into batches at fixed numbers.

    records (Iterable[Record | Failure]): All records of the input.
    start (int): How many are done.
    YIELDS (Batch): The others.
    """
    rest = islice(records, start, None)
    while batch := list(islice(rest, RECORDS)):
        yield batch
