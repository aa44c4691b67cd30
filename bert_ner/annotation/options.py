"""Options of a run. This module imports no library, so that `--help` is fast."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FormatName(StrEnum):
    """Name of an output format."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CONLL = "conll"
    HTML = "html"


class InputFormat(StrEnum):
    """Name of an input format."""

    TEXT = "text"
    LINES = "lines"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class Engine(StrEnum):
    """Program that distributes the work."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run, as the user gives them.

    input (str): A text, a file, a folder, or "-" for standard input.
    pipeline (str): Name or folder of the pipeline.
    output (Path | None): Output file, None for standard output.
    output_format (FormatName | None): Output format, None to choose it by the name of the output.
    input_format (InputFormat | None): Input format, None to choose it by the names of the files.
    text_field (str): Field or column that holds the text.
    min_confidence (float): Entities below this confidence are dropped, from 0 to 1.
    by_word_piece (bool): Add the encoder's word pieces to each annotation.
    workers (int): Number of processes.
    gpu_id (str): "auto", a GPU's number, or "-1" for the CPU.
    engine (Engine): Local processes, or Ray.
    address (str | None): Address of a Ray cluster, None for Ray on this machine.
    restart (bool): Start again even if an interrupted run can be resumed.
    """

    input: str
    pipeline: str
    output: Path | None = None
    output_format: FormatName | None = None
    input_format: InputFormat | None = None
    text_field: str = "text"
    min_confidence: float = 0.0
    by_word_piece: bool = False
    workers: int = 1
    gpu_id: str = "auto"
    engine: Engine = Engine.LOCAL
    address: str | None = None
    restart: bool = False


@dataclass(frozen=True)
class WorkerOptions:
    """Options that a worker needs. They determine the output for a record.

    pipeline (str): Name or folder of the pipeline.
    format (FormatName): Output format.
    min_confidence (float): Entities below this confidence are dropped, from 0 to 1.
    by_word_piece (bool): Add the encoder's word pieces to each annotation.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    pipeline: str
    format: FormatName = FormatName.JSONL
    min_confidence: float = 0.0
    by_word_piece: bool = False
    gpu: int = -1
