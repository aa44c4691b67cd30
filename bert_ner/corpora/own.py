"""Your own corpus, described in assets/own/corpus.toml."""

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_toml
from .formats import ColumnFormat, CsvFormat, Format
from .spec import Corpus, recorded_name

SPLITS = ("train", "dev", "test")
DEFAULT_SHARE = 0.1
KNOWN = {
    *SPLITS,
    "dev_share",
    "test_share",
    "format",
    "token",
    "tag",
    "pos",
    "sentence",
    "separator",
    "encoding",
    "document_marker",
    "sentences_per_document",
    "title",
    "licence",
    "url",
    "paper",
    "labels",
}


def load(path: Path) -> Corpus:
    """Read the description of a user's corpus.

    path (Path): The TOML file. Its keys are explained in assets/README.md.
    RETURNS (Corpus): The corpus.
    RAISES (InputError): What is missing or unknown in the description.
    """
    given = _read(path)
    if unknown := sorted(set(given) - KNOWN):
        raise InputError(f'{path}: unknown key "{unknown[0]}". Known: {", ".join(sorted(KNOWN))}.')
    if "train" not in given:
        raise InputError(f'{path}: the key "train" is missing. Name the file with the sentences.')
    _refuse_contradictions(path, given)
    files = {split: _text(path, given, split) for split in SPLITS if split in given}
    if len({recorded_name(name) for name in files.values()}) < len(files):
        raise InputError(f"{path}: two splits name the same file, or files of the same name.")
    shares = {s: _share(path, given, f"{s}_share") for s in SPLITS[1:] if s not in files}
    return Corpus(
        name="own",
        title=_text(path, given, "title", "your corpus"),
        pipeline="bert_own_ner",
        description="Entities as annotated in " + _text(path, given, "title", "your corpus") + ".",
        licence=_text(path, given, "licence", "not stated"),
        url=_text(path, given, "url", ""),
        paper=_text(path, given, "paper", ""),
        labels=_labels(path, given),
        format=_format(path, given),
        files=files,
        shares=shares,
        sentences_per_document=_whole(path, given, "sentences_per_document", 1, least=1),
    )


def _refuse_contradictions(path: Path, given: dict[str, Any]) -> None:
    for split in SPLITS[1:]:
        if split in given and f"{split}_share" in given:
            raise InputError(f"{path}: has both {split} and {split}_share. Remove one.")
    if given.get("format") != "csv" and given.get("token", 0) == given.get("tag", 1):
        raise InputError(f"{path}: token and tag name the same column, {given.get('token', 0)}.")
    alien = {"columns": ["sentence"], "csv": ["separator", "document_marker"]}
    for key in alien.get(str(given.get("format", "columns")), []):
        if key in given:
            raise InputError(f'{path}: the key "{key}" has no meaning with this format.')


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(
            f"{path}: not found. Describe your corpus there, starting with "
            f'train = "my-train-file.txt"; assets/README.md explains the keys.'
        )
    return read_toml(path)


def _format(path: Path, given: dict[str, Any]) -> Format:
    kind = _text(path, given, "format", "columns")
    encoding = _text(path, given, "encoding", "utf-8")
    if kind == "columns":
        return ColumnFormat(
            token=_whole(path, given, "token", 0),
            tag=_whole(path, given, "tag", 1),
            pos=_whole(path, given, "pos", 0) if "pos" in given else None,
            separator=_text(path, given, "separator", "") or None,
            encoding=encoding,
            document_marker=_text(path, given, "document_marker", "-DOCSTART-"),
        )
    if kind == "csv":
        return CsvFormat(
            sentence=_text(path, given, "sentence", "Sentence #"),
            token=_text(path, given, "token", "Word"),
            tag=_text(path, given, "tag", "Tag"),
            pos=_text(path, given, "pos", "") or None,
            encoding=encoding,
        )
    raise InputError(f'{path}: format = "{kind}" is unknown. Use "columns" or "csv".')


def _text(path: Path, given: dict[str, Any], key: str, default: str | None = None) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{path}: {key} = {value!r} must be a text in quotes.")
    return value


def _labels(path: Path, given: dict[str, Any]) -> dict[str, str]:
    labels = given.get("labels", {})
    if not isinstance(labels, dict):
        raise InputError(f"{path}: [labels] must be a table of labels and what they stand for.")
    return {label: _text(path, labels, label) for label in labels}


def _whole(path: Path, given: dict[str, Any], key: str, default: int, *, least: int = 0) -> int:
    value = given.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(f"{path}: {key} = {value!r} must be a whole number, {least} or more.")
    return value


def _share(path: Path, given: dict[str, Any], key: str) -> float:
    value = given.get(key, DEFAULT_SHARE)
    if not isinstance(value, float) or not 0 < value < 0.5:
        raise InputError(f"{path}: {key} = {value!r} must be a number between 0 and 0.5.")
    return value
