"""Fetching native files from where they are published."""

import http.client
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import sha256

TIMEOUT = 20  # seconds without an answer


def fetch_urls(urls: Mapping[str, tuple[str, str]], folder: Path) -> None:
    """Download files and check them.

    urls (Mapping[str, tuple[str, str]]): For each file name, the address and
        the SHA-256 that the file must have.
    folder (Path): Where to write the files.
    RAISES (ConnectionError): If an address cannot be reached.
    RAISES (InputError): If a file is not the one that the project knows.
    """
    for name, (url, checksum) in urls.items():
        path = folder / name
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
                path.write_bytes(answer.read())
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(str(getattr(error, "reason", error))) from error
        if (found := sha256(path)) != checksum:
            raise InputError(
                f"{url}: expected a file with SHA-256 {checksum}, got {found}. It changed or was "
                f"tampered with: provide {name} yourself, as assets/README.md says."
            )


@dataclass(frozen=True, kw_only=True)
class HubTable:
    """A data set on the Hub with one row a sentence and lists in the columns.

    name (str): The data set.
    revision (str): The revision to load.
    files (Mapping[str, str]): The native file to write for each split.
    columns (tuple[str, ...]): The columns to write, in the native order.
    sentences (Mapping[str, int]): How many rows each split must have.
    """

    name: str
    revision: str
    files: Mapping[str, str]
    columns: tuple[str, ...]
    sentences: Mapping[str, int]


def fetch_hub_table(
    table: HubTable, folder: Path, *, load: Callable[..., Any] | None = None
) -> None:
    """Load a data set from the Hub and write it as native column files.

    table (HubTable): The data set.
    folder (Path): Where to write the files.
    load (Callable): Stands in for `datasets.load_dataset` in tests.
    RAISES (ConnectionError): If the Hub cannot be reached.
    RAISES (InputError): If the data set is not the one that the project knows.
    """
    splits = _load(table, load)
    for split, name in table.files.items():
        if split not in splits:
            raise InputError(
                f"{table.name} on the Hub has no split {split}. Provide {name} yourself."
            )
        rows = splits[split]
        if len(rows) != table.sentences[split]:
            raise InputError(
                f"{table.name} on the Hub: expected {table.sentences[split]} sentences in "
                f"{split}, found {len(rows)}. Provide {name} yourself, as assets/README.md says."
            )
        decode = [_decoder(rows.features[column]) for column in table.columns]
        with (folder / name).open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                cells = (map(f, row[c]) for f, c in zip(decode, table.columns, strict=True))
                file.writelines(" ".join(line) + "\n" for line in zip(*cells, strict=True))
                file.write("\n")


def _load(table: HubTable, load: Callable[..., Any] | None) -> Any:
    if load is None:
        require_hub()
        from datasets import load_dataset  # slow to import, seldom needed

        load = load_dataset
    try:
        return load(table.name, revision=table.revision)
    except Exception as error:  # what `datasets` and the hub client raise has no common class
        raise ConnectionError(str(getattr(error, "reason", error))) from error


def require_hub() -> None:
    """Check that the Hub answers, since its clients retry for minutes.

    RAISES (ConnectionError): If it does not.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ConnectionError("it is switched off by HF_HUB_OFFLINE")
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except (http.client.HTTPException, OSError) as error:
        raise ConnectionError(str(getattr(error, "reason", error))) from error


def _decoder(feature: Any) -> Callable[[Any], str]:
    """Class labels are stored as numbers; tokens as they are."""
    inner = getattr(feature, "feature", feature)
    return inner.int2str if hasattr(inner, "int2str") else str
