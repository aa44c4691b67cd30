"""Writes a large output in batches, so that an interrupted run can be resumed.

During a run, `<output>.partial` holds the annotations, `<output>.failed.partial` the
failures, and `<output>.progress` the number of valid bytes of both. The progress file is
replaced after each batch. The next run removes bytes after the last complete batch and skips the
records that are done. Batches end at fixed record numbers, so the output of a run that
was resumed ten times is, byte for byte, the output of an uninterrupted run.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from ..errors import InputError
from ..files import read_json, remove, write_json
from .inputs import Failure, Record
from .outputs import Format
from .workers import Batch, BatchOutput

BATCH_RECORDS = 256
Job = Mapping[str, object]  # fingerprints and options that determine the output


@dataclass
class Progress:
    """Counts of a run: records including failures, failures, and valid bytes of both files."""

    records: int = 0
    failed: int = 0
    bytes: int = 0
    failed_bytes: int = 0
    complete: bool = False


class Output:
    """An output file that grows batch by batch.

    path (Path): The file.
    job (Mapping[str, object]): Everything that determines the output. A run is resumed only
        if its job is equal.
    output_format (Format): Format of the file.
    """

    def __init__(self, path: Path, job: Job, output_format: Format) -> None:
        self.path, self.job, self.format = path, job, output_format
        self.partial, self.failed_partial, self.failed, self.journal, self.lock = (
            path.with_name(f"{path.name}.{end}")
            for end in ("partial", "failed.partial", "failed.jsonl", "progress", "lock")
        )
        self.progress = Progress()

    @contextmanager
    def opened(self, *, restart: bool = False) -> Iterator["Output"]:
        """Open the output where the last run stopped, or at its start.

        restart (bool): Start again even if an interrupted run can be resumed.
        YIELDS (Output): This object.
        RAISES (InputError): If another run is writing the file, or the interrupted run had
            another job.
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
                self.progress = self._read_journal()
                if not self.progress.complete:  # else it was killed while it renamed files
                    _truncate(self.partial, self.progress.bytes)
                    _truncate(self.failed_partial, self.progress.failed_bytes)
                yield self
            finally:
                if not self.journal.exists():  # nothing to resume
                    for path in (self.partial, self.failed_partial, self.lock):
                        remove(path)

    def _read_journal(self) -> Progress:
        if not self.journal.exists():
            return Progress()
        try:
            state = read_json(self.journal)
            job, progress = state["job"], Progress(**state["progress"])
        except (InputError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.journal}: cannot be read. Set --restart to start again."
            ) from error
        differing = [key for key in self.job if job.get(key) != self.job[key]]
        if differing:
            raise InputError(
                f"{self.path}: the interrupted run had another {', '.join(differing)}. "
                "Resume with the same options and files, or set --restart to start again."
            )
        return progress

    def add(self, batch: BatchOutput) -> None:
        """Write a batch, then record in the journal that it is complete.

        batch (BatchOutput): Rendered annotations and failures of the next records.
        RAISES (InputError): If another process has changed the partial file.
        """
        progress = self.progress
        annotations = [item for item in batch if not isinstance(item, Failure)]
        failures = [json.dumps(asdict(item)) + "\n" for item in batch if isinstance(item, Failure)]
        if annotations:
            before = self.format.between if progress.bytes else self.format.head
            text = before + self.format.between.join(annotations)
            progress.bytes += _append(self.partial, text, progress.bytes)
        text = "".join(failures)
        progress.failed_bytes += _append(self.failed_partial, text, progress.failed_bytes)
        progress.failed += len(failures)
        progress.records += len(batch)
        self._save()

    def _save(self) -> None:
        write_json(self.journal, {"job": self.job, "progress": asdict(self.progress)})

    def finish(self) -> None:
        """Complete the files and give them their names.

        RAISES (InputError): If the partial file was changed or removed during the run.
        """
        progress = self.progress
        if not progress.complete:
            before = "" if progress.bytes else self.format.head
            progress.bytes += _append(self.partial, before + self.format.foot, progress.bytes)
            progress.complete = True
            self._save()
        if not progress.failed:
            remove(self.failed)
            remove(self.failed_partial)
        for partial, path in ((self.failed_partial, self.failed), (self.partial, self.path)):
            if partial.exists():
                partial.replace(path)
        if not self.path.exists():
            raise InputError(
                f"{self.partial}: was removed during the run. Set --restart to start again."
            )
        remove(self.journal)


def _truncate(path: Path, size: int) -> None:
    with path.open("ab") as file:
        if file.tell() < size:
            raise InputError(f"{path}: is shorter than it was. Set --restart to start again.")
        file.truncate(size)


def _append(path: Path, text: str, size: int) -> int:
    """Append text to a file of a known size and wait until it is on the disk."""
    with path.open("ab") as file:
        if file.tell() != size:
            raise InputError(f"{path}: was changed during the run. Set --restart to start again.")
        written = file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    return written


def cut_batches(records: Iterable[Record | Failure], start: int) -> Iterator[Batch]:
    """Split records into batches of `BATCH_RECORDS`.

    records (Iterable[Record | Failure]): All records of the input.
    start (int): Number of records to skip because they are done.
    YIELDS (Batch): The next batch.
    """
    rest = islice(records, start, None)
    while batch := list(islice(rest, BATCH_RECORDS)):
        yield batch
