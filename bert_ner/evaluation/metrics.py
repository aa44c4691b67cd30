"""The metrics file: what `report` writes and other commands read."""

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json

SCHEMA = 1  # see docs/report.md


def read_metrics(path: Path) -> dict[str, Any]:
    """Read what `bert_ner.evaluation.report` wrote.

    path (Path): The JSON file.
    RETURNS (dict[str, Any]): Its contents.
    RAISES (InputError): If it is not there, or another version of the project
        wrote it.
    """
    metrics = read_json(path)
    found = metrics.get("schema") if isinstance(metrics, dict) else None
    if found != SCHEMA:
        raise InputError(
            f"{path}: expected metrics of schema {SCHEMA}, found {found}. Report on that run again."
        )
    return dict(metrics)
