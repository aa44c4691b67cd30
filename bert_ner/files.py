"""Reads and writes files. An output appears complete or not at all."""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file or folder under a temporary name and rename it when it is complete.

    If the block fails, `path` is unchanged and no temporary file remains. Temporary
    files of a killed run are removed by the next run.

    path (Path): The file or folder to write.
    YIELDS (Path): The temporary path in the same folder; it does not exist yet.
    RAISES (InputError): If a file would replace a folder, or a folder a file.
    """
    if not path.name:
        raise InputError(f"{path}: is not a name for a file or folder. Name one.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    old = path.with_name(f".{path.name}.old")
    if not path.exists() and old.exists():  # a run was killed between the two renames
        old.rename(path)
    for leftover in (partial, old):
        remove(leftover)
    try:
        yield partial
        if path.exists() and path.is_dir() != partial.is_dir():
            kind = "folder" if path.is_dir() else "file"
            raise InputError(f"{path}: is a {kind} and would be overwritten. Name another path.")
        if path.is_dir():
            path.rename(old)
        partial.replace(path)
    finally:
        remove(partial)
        if path.exists():
            remove(old)
        elif old.exists():
            old.rename(path)


def require(*paths: Path) -> None:
    """Check that the outputs of earlier steps exist.

    *paths (Path): Files or folders.
    RAISES (InputError): For the first that does not exist.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")


def remove(path: Path) -> None:
    """Remove a file, or a folder with its contents, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one
        raise InputError(f"{path}: not valid JSON: {error}.") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # UnicodeDecodeError is one
        raise InputError(f"{path}: not valid TOML: {error}.") from error


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file, complete or not at all."""
    with replacing(path) as partial:
        partial.write_text(to_json(data), encoding="utf-8")


def to_json(data: Any) -> str:
    """Format data as `write_json` writes it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
