"""Where the pipelines lie that have each not seen a part of train."""

import re
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json

NAME = re.compile(r"[0-9]+-of-[0-9]+")


def fold_folder(output: Path, k: int, folds: int) -> Path:
    """Where fold k, from 0, lies."""
    return output / f"{k + 1}-of-{folds}"


def find_folds(output: Path) -> tuple[list[Path], dict[str, Any]]:
    """The pipelines of a cross-validation, in the order of their folds.

    output (Path): The folder with a folder for each fold.
    RETURNS (tuple[list[Path], dict[str, Any]]): The trained pipelines, and the
        settings that they share.
    RAISES (InputError): If one is missing, or they are not of one run.
    """
    names = [path.name for path in sorted(output.glob("*")) if NAME.fullmatch(path.name)]
    counts = {name.split("-of-")[1] for name in names}
    if len(counts) != 1:
        raise InputError(
            f"{output}: expected the folds of one run, found {', '.join(names) or 'none'}. "
            f"Remove what is of another run, or train them with python -m scripts.folds."
        )
    (folds,) = map(int, counts)
    found = [fold_folder(output, k, folds) for k in range(folds)]
    records = [folder / "fold.json" for folder in found]
    for record in records:
        if not record.exists():
            raise InputError(f"{record.parent}: not complete. Run python -m scripts.folds again.")
    settings = [read_json(record) for record in records]
    if any(each != settings[0] for each in settings) or not isinstance(settings[0], dict):
        raise InputError(f"{output}: its folds were trained with different settings. Train again.")
    return [folder / "model-best" for folder in found], settings[0]
