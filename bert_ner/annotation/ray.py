"""Annotates Parquet files with Ray Data, on this machine or on a cluster.

Each worker loads the pipeline once. If a worker is killed, Ray gives its unfinished work
to another one. Records that fail are written to a separate folder, with their errors.
"""

import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from ..errors import InputError, first_line
from ..files import remove, replacing
from .annotator import annotate, explain
from .inputs import InputFile, check_columns, count_records
from .journal import BATCH_RECORDS, Progress
from .options import InputFormat, WorkerOptions
from .workers import load_pipeline, output_name

INT, STRING = pa.int64(), pa.string()
TOKENS = pa.list_(
    pa.struct({"text": STRING, "start": INT, "end": INT, "id": INT, "ws": pa.bool_()}.items())
)
SPANS = pa.list_(
    pa.struct(
        {
            **dict.fromkeys(("start", "end", "token_start", "token_end"), INT),
            "label": STRING,
            "score": pa.float64(),
        }.items()
    )
)
MAX_BLOCK_ROWS = 8 * BATCH_RECORDS
BLOCKS_PER_WORKER = 4  # at least, so that no worker waits long for the others


class Annotator:
    """A worker of Ray: annotates tables.

    options (WorkerOptions): The pipeline. The format has no effect.
    text_field (str): Column that holds the text.
    RAISES (InputError): If the pipeline cannot be loaded.
    """

    def __init__(self, options: WorkerOptions, text_field: str) -> None:
        import torch

        torch.set_num_threads(1)  # Ray gives a worker one core, and its GPU has the number 0
        self.nlp, self.extract = load_pipeline(replace(options, gpu=min(options.gpu, 0)))
        self.text_field = text_field

    def __call__(self, table: pa.Table) -> pa.Table:
        """Add the columns `tokens`, `spans`, `error` and `failed`.

        table (Table): Rows of the input.
        RETURNS (Table): The same rows with the columns.
        """
        texts = table.column(self.text_field).to_pylist()
        valid = [text for text in texts if isinstance(text, str)]
        annotated = iter(annotate(self.nlp, valid, self.extract))
        missing = ValueError("has no text")
        results = [next(annotated) if isinstance(text, str) else missing for text in texts]
        good = [None if isinstance(result, Exception) else result for result in results]
        errors = [explain(result) if isinstance(result, Exception) else None for result in results]
        columns = {
            "tokens": pa.array([item and item["tokens"] for item in good], TOKENS),
            "spans": pa.array([item and item["spans"] for item in good], SPANS),
            "error": pa.array(errors, STRING),
            "failed": pa.array([item is None for item in good]),
        }
        names = [n if n == self.text_field else output_name(n) for n in table.column_names]
        table = table.rename_columns(names)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


def annotate_on_cluster(
    sources: list[InputFile],
    output: Path,
    *,
    options: WorkerOptions,
    text_field: str = "text",
    workers: int = 1,
    address: str | None = None,
) -> Progress:
    """Annotate Parquet files into a folder of Parquet files.

    sources (list[InputFile]): The files.
    output (Path): Output folder. It appears when all records are done. Records that fail
        are in the folder `<output>.failed`.
    options (WorkerOptions): The pipeline. The format has no effect.
    text_field (str): Column that holds the text. Other columns are kept.
    workers (int): Number of workers, each with one core.
    address (str | None): Address of a Ray cluster, None to start Ray on this machine.
    RETURNS (Progress): Numbers of records and failures.
    RAISES (InputError): If Ray is not installed, a file is not Parquet, the output exists,
        or the cluster fails.
    """
    ray = _import_ray()
    failed = output.with_name(f"{output.name}.failed")
    _check(sources, text_field, (output, failed))
    load_pipeline(replace(options, gpu=-1))  # raises an error that is clearer than Ray's
    try:
        _start(ray, workers, address)
        with replacing(output) as partial:
            progress = _annotate_into(
                partial, ray, sources, options, text_field=text_field, workers=workers
            )
            _separate_failures(partial, failed)
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise InputError(f"Ray failed, and nothing is written: {first_line(error)}") from error
    finally:
        ray.shutdown()
    return progress


def _annotate_into(
    folder: Path,
    ray: Any,
    sources: list[InputFile],
    options: WorkerOptions,
    *,
    text_field: str,
    workers: int,
) -> Progress:
    """Annotate blocks of rows into the folders `failed=false` and `failed=true`."""
    expected = count_records(sources, text_field)
    rows = max(1, min(MAX_BLOCK_ROWS, math.ceil(expected / (BLOCKS_PER_WORKER * workers))))
    data = ray.data.read_parquet([str(source.path.resolve()) for source in sources])
    data.repartition(target_num_rows_per_block=rows).map_batches(
        Annotator,
        fn_constructor_args=(options, text_field),
        batch_size=BATCH_RECORDS,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        num_gpus=int(options.gpu >= 0),
    ).write_parquet(str(folder.resolve()), partition_cols=["failed"])
    written = _count_rows(folder)
    if expected != written:
        raise InputError(
            f"expected {expected} records, found {written} in the output: put input and output "
            "where every machine of the cluster can access them."
        )
    return Progress(records=written, failed=_count_rows(folder / "failed=true"))


def _check(sources: list[InputFile], text_field: str, outputs: tuple[Path, Path]) -> None:
    for source in sources:
        if source.format is not InputFormat.PARQUET:
            raise InputError(f"{source.name}: is not Parquet. --engine ray reads only Parquet.")
    check_columns(sources, text_field)
    for path in outputs:
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise InputError(f"{path}: already exists. Remove it, or name another output.")
        remove(path)


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise InputError("Ray is not installed. Run `pip install -e '.[ray]'`.") from error
    return ray


def _start(ray: Any, workers: int, address: str | None) -> None:
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    if address:
        import bert_ner

        ray.init(address=address, runtime_env={"py_modules": [bert_ner]}, log_to_driver=False)
    else:  # one core more than the workers', to read and write
        ray.init(
            address="local", num_cpus=workers + 1, log_to_driver=False, include_dashboard=False
        )


def _count_rows(folder: Path) -> int:
    return sum(pa.parquet.ParquetFile(path).metadata.num_rows for path in folder.rglob("*.parquet"))


def _separate_failures(folder: Path, failed: Path) -> None:
    """Move the failures to a folder, and the other files up."""
    folder.mkdir(exist_ok=True)  # Ray writes nothing for an input without rows
    if (folder / "failed=true").exists():
        (folder / "failed=true").rename(failed)
    for path in sorted((folder / "failed=false").glob("*.parquet")):
        path.rename(folder / path.name)
    remove(folder / "failed=false")
