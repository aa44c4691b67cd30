"""Where the pipelines lie that have each not seen a part of train."""

from pathlib import Path

from scripts.errors import InputError


def fold_folder(output: Path, k: int, folds: int) -> Path:
    """Where fold k, from 0, lies."""
    return output / f"{k + 1}-of-{folds}"


def find_folds(output: Path) -> list[Path]:
    """The pipelines that `scripts.folds` wrote, in the order of their folds.

    output (Path): The folder with a folder for each fold.
    RETURNS (list[Path]): The trained pipelines.
    RAISES (InputError): If one is missing.
    """
    counts = {int(path.name.split("-of-")[1]) for path in output.glob("[0-9]*-of-[0-9]*")}
    if len(counts) != 1:
        raise InputError(
            f"{output}: expected the folds of one run, found those of {len(counts)}. "
            f"Train them with python -m scripts.folds."
        )
    (folds,) = counts
    found = [fold_folder(output, k, folds) / "model-best" for k in range(folds)]
    for path in found:
        if not (path.parent / "fold.json").exists():
            raise InputError(f"{path}: not complete. Run python -m scripts.folds again.")
    return found
