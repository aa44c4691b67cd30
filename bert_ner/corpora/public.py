"""Downloads native files from their public sources."""

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
        the expected SHA-256.
    folder (Path): The folder to write the files to.
    RAISES (ConnectionError): If an address cannot be reached.
    RAISES (InputError): If a file has another checksum.
    """
    for name, (url, checksum) in urls.items():
        path = folder / name
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
                path.write_bytes(answer.read())
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(str(getattr(error, "reason", error))) from error
        if (actual := sha256(path)) != checksum:
            raise InputError(
                f"{url}: expected a file with SHA-256 {checksum}, found {actual}. It changed or "
                f"was tampered with. Provide {name} yourself, as assets/README.md says."
            )


@dataclass(frozen=True, kw_only=True)
class HubTable:
    """A data set on the Hub with one row per sentence and lists in the columns.

    name (str): The data set.
    revision (str): The revision to load.
    files (Mapping[str, str]): The native file to write for each split.
    columns (tuple[str, ...]): The columns to write, in the native order.
    sentences (Mapping[str, int]): The expected number of rows of each split.
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
    folder (Path): The folder to write the files to.
    load (Callable): A function to call instead of `datasets.load_dataset`, for tests.
    RAISES (ConnectionError): If the Hub cannot be reached.
    RAISES (InputError): If the data set has other splits or sizes.
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
        from datasets import load_dataset  # slow to import

        load = load_dataset
    try:
        return load(table.name, revision=table.revision)
    except Exception as error:  # `datasets` and the hub client raise unrelated classes
        raise ConnectionError(str(getattr(error, "reason", error))) from error


def require_hub() -> None:
    """Check that the Hub can be reached: its own clients retry for minutes.

    RAISES (ConnectionError): If it cannot.
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
    """Make a function that decodes a value: class labels are stored as numbers."""
    inner = getattr(feature, "feature", feature)
    return inner.int2str if hasattr(inner, "int2str") else str
