"""Annotating Parquet with Ray Data, on this machine or on a cluster.

Each worker loads the pipeline once. What a worker had not finished when it was
killed, Ray gives to another one; a record that fails stands, with its error, in a
folder of its own, and the others go on.
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
from .inputs import Source, check_columns, count_records
from .journal import RECORDS, Progress
from .workers import Settings, given_name, load_for

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
MOST_ROWS = 8 * RECORDS  # what a worker is given at a time
PARTS = 4  # that each worker is given at least, so that none waits for the last one's


class Annotator:
    """What a worker of Ray does: `work.py`'s batch function, on tables."""

    def __init__(self, settings: Settings, text_field: str) -> None:
        import torch

        torch.set_num_threads(1)  # a worker is given one core, and sees its GPU as number 0
        self.nlp, self.extract = load_for(replace(settings, gpu=min(settings.gpu, 0)))
        self.text_field = text_field

    def __call__(self, table: pa.Table) -> pa.Table:
        """Add `tokens`, `spans` and `error` to each row."""
        texts = table.column(self.text_field).to_pylist()
        known = [text for text in texts if isinstance(text, str)]
        results = iter(annotate(self.nlp, known, self.extract))
        missing = ValueError("has no text")
        found = [next(results) if isinstance(text, str) else missing for text in texts]
        good = [None if isinstance(item, Exception) else item for item in found]
        columns = {
            "tokens": pa.array([item and item["tokens"] for item in good], TOKENS),
            "spans": pa.array([item and item["spans"] for item in good], SPANS),
            "error": pa.array(
                [explain(item) if isinstance(item, Exception) else None for item in found], STRING
            ),
            "failed": pa.array([item is None for item in good]),
        }
        given = [given_name(n) if n != self.text_field else n for n in table.column_names]
        table = table.rename_columns(given)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


def annotate_on_cluster(
    sources: list[Source],
    output: Path,
    *,
    settings: Settings,
    text_field: str = "text",
    workers: int = 1,
    address: str | None = None,
) -> Progress:
    """Annotate Parquet files into a folder of Parquet files.

    sources (list[Source]): The files.
    output (Path): The folder to write. It appears when all is done. What failed
        stands in the folder `<output>.failed`.
    settings (Settings): How; the format has no meaning here.
    text_field (str): The column of the text. The others are kept.
    workers (int): How many load the pipeline, with a core each.
    address (str | None): A cluster's, None for a Ray on this machine.
    RETURNS (Progress): How many records were read, and how many failed.
    RAISES (InputError): If Ray is not installed, the files are not Parquet, the output
        is there already, or the cluster fails.
    """
    ray = _import_ray()
    failed = output.with_name(f"{output.name}.failed")
    _check(sources, text_field, (output, failed))
    load_for(replace(settings, gpu=-1))  # says what is wrong with the pipeline, before Ray does
    try:
        _start(ray, workers, address)
        with replacing(output) as partial:
            expected = count_records(sources, text_field)
            rows = max(1, min(MOST_ROWS, math.ceil(expected / (PARTS * workers))))
            data = ray.data.read_parquet([str(source.path.resolve()) for source in sources])
            blocks = data.repartition(target_num_rows_per_block=rows)
            blocks.map_batches(
                Annotator,
                fn_constructor_args=(settings, text_field),
                batch_size=RECORDS,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(size=workers),
                num_cpus=1,
                num_gpus=int(settings.gpu >= 0),
            ).write_parquet(str(partial.resolve()), partition_cols=["failed"])
            progress = Progress(
                records=_count_rows(partial), failed=_count_rows(partial / "failed=true")
            )
            if expected != progress.records:
                raise InputError(
                    f"expected {expected} records, found {progress.records} in the output: input "
                    "and output must lie where every machine of the cluster reaches them."
                )
            _take_apart(partial, failed)
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise InputError(f"Ray failed, and nothing is written: {first_line(error)}") from error
    finally:
        ray.shutdown()
    return progress


def _check(sources: list[Source], text_field: str, outputs: tuple[Path, Path]) -> None:
    for source in sources:
        if source.kind != "parquet":
            raise InputError(f"{source.name}: is not Parquet, which is what --engine ray reads.")
    check_columns(sources, text_field)
    for path in outputs:
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise InputError(f"{path}: is there already. Remove it, or name another output.")
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
    else:  # a core more than the workers', for reading and writing
        ray.init(
            address="local", num_cpus=workers + 1, log_to_driver=False, include_dashboard=False
        )


def _count_rows(folder: Path) -> int:
    return sum(pa.parquet.ParquetFile(path).metadata.num_rows for path in folder.rglob("*.parquet"))


def _take_apart(folder: Path, failed: Path) -> None:
    """Put what failed beside the rest."""
    folder.mkdir(exist_ok=True)  # Ray writes nothing of an input without rows
    if (folder / "failed=true").exists():
        (folder / "failed=true").rename(failed)
    for path in sorted((folder / "failed=false").glob("*.parquet")):
        path.rename(folder / path.name)
    remove(folder / "failed=false")
