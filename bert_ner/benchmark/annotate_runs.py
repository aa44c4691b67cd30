"""Annotation runs in processes, which are watched or killed."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import read_json

JITTER = 1.0  # seconds: a run is killed within this time after a random record


@dataclass(frozen=True)
class AnnotateRun:
    """A run of the annotation command.

    command (tuple[str, ...]): The program that annotates a file.
    pipeline (Path): The pipeline's folder.
    records (Path): The input.
    output (Path): The output. The log is next to it.
    options (tuple[str, ...]): More options of the program.
    """

    command: tuple[str, ...]
    pipeline: Path
    records: Path
    output: Path
    options: tuple[str, ...] = ()

    @property
    def log(self) -> Path:
        """The file with the output of the process."""
        return self.output.with_name(f"{self.output.name}.log")

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process, or resume an interrupted run."""
        command = [*self.command, str(self.records), "--pipeline", str(self.pipeline)]
        command += ["--output", str(self.output), *self.options]
        with self.log.open("w", encoding="utf-8") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def count_records(self) -> int:
        """Count the records of the input, one per line."""
        with self.records.open("rb") as file:
            return sum(1 for _ in file)

    def count_done(self) -> int:
        """Read the number of annotated records from the run's journal."""
        journal = self.output.with_name(f"{self.output.name}.progress")
        try:
            return int(read_json(journal)["progress"]["records"])
        except OSError:
            return 0


@dataclass(frozen=True)
class RunResult:
    """Measurements of a run.

    seconds (float): Duration.
    memory_mb (list[int]): Highest memory in each tenth of the records, in MiB. Tenths that
        were too short to be measured are left out.
    """

    seconds: float
    memory_mb: list[int]


def run_to_end(run: AnnotateRun) -> RunResult:
    """Run to the end, and measure the memory in each tenth.

    run (AnnotateRun): The run.
    RETURNS (RunResult): The measurements.
    RAISES (InputError): If the run fails.
    """
    started = time.perf_counter()
    process = run.start()
    memory: dict[int, float] = {}
    total = run.count_records()
    while process.poll() is None:
        if (done := run.count_done()) and (resident := _resident_mb(process.pid)):
            tenth = min(9, 10 * done // total)
            memory[tenth] = max(memory.get(tenth, 0), resident)
        time.sleep(0.2)
    if process.returncode:
        lines = run.log.read_text(encoding="utf-8").strip().splitlines()
        raise InputError(
            f"{run.records}: annotation failed: {lines[-1] if lines else 'no message'}"
        )
    seconds = time.perf_counter() - started
    return RunResult(seconds, [round(memory[tenth]) for tenth in sorted(memory)])


def run_killed(run: AnnotateRun, kills: int, seed: int) -> list[int]:
    """Kill a run at random records in its first nine tenths, then run it to the end.

    run (AnnotateRun): The run.
    kills (int): Number of times that it is killed and resumed.
    seed (int): Seed for the times of the kills.
    RETURNS (list[int]): The number of records that were done at each kill.
    RAISES (InputError): If the last run fails.
    """
    total = run.count_records()
    generator = random.Random(seed)
    killed_at = []
    for minimum in sorted(generator.sample(range(1, max(kills + 1, total * 9 // 10)), kills)):
        process = run.start()
        while process.poll() is None and run.count_done() < minimum:
            time.sleep(0.05)
        time.sleep(JITTER * generator.random())
        with suppress(ProcessLookupError):  # the run has ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        killed_at.append(run.count_done())
    run_to_end(run)
    return killed_at


def _resident_mb(process: int) -> float:
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2
