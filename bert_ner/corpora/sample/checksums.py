"""Stored SHA-256 of the built-in sample's files, to recognize them without generating them.

    python -c "from bert_ner.corpora.sample import checksums; checksums.store()"

updates checksums.toml after a change to the templates, the lists or the version of Faker.
"""

import tempfile
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

from ...files import read_toml, replacing, sha256

STORED = Path(__file__).with_name("checksums.toml")


def sample_checksums(corpus: str, write: Callable[[Path], None]) -> frozenset[str]:
    """Look up the checksums of the built-in sample of a corpus.

    Another version of Faker may give other names. In that case, the sample is
    generated to compute the checksums.

    corpus (str): The corpus's name.
    write (Callable[[Path], None]): Writes the sample's native files into a folder.
    RETURNS (frozenset[str]): The SHA-256 of each file.
    """
    stored = _read(STORED)
    if stored["faker"]["version"] == metadata.version("faker") and corpus in stored:
        return frozenset(stored[corpus].values())
    return frozenset(compute(write).values())


@cache
def compute(write: Callable[[Path], None]) -> dict[str, str]:
    """Generate a sample and compute the SHA-256 of each file, by its name.

    write (Callable[[Path], None]): Writes the native files into a folder.
    RETURNS (dict[str, str]): The checksums, sorted by name.
    """
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        return {path.name: sha256(path) for path in sorted(Path(name).iterdir())}


def generate() -> str:
    """Generate every sample and format the contents of checksums.toml."""
    from ..registry import CORPORA  # imports this package

    text = "# Written by checksums.py, which says how to update it.\n"
    text += f'[faker]\nversion = "{metadata.version("faker")}"\n'
    for corpus in CORPORA.values():
        if corpus.sample:
            lines = (f'"{name}" = "{value}"\n' for name, value in compute(corpus.sample).items())
            text += f"\n[{corpus.name}]\n{''.join(lines)}"
    return text


def store() -> None:
    """Write checksums.toml."""
    with replacing(STORED) as partial:
        partial.write_text(generate(), encoding="utf-8")


@cache
def _read(path: Path) -> dict[str, dict[str, str]]:
    return read_toml(path)
