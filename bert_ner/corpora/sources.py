"""Where a corpus's native files come from: the first place that has them."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from ..errors import InputError
from ..files import read_json, remove, replacing, sha256, write_json
from .spec import Corpus, recorded_name

MARKER = ".source.json"
PROVIDED = "NER_CORPORA"
GENERATOR = "the project's generator"


class Kind(StrEnum):
    """The places, in the order in which they are tried."""

    USER = "user"
    PROVIDED = "provided"
    PUBLIC = "public"
    SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where native files came from.

    corpus (str): The corpus's name.
    title (str): Its name for people; says so if it is the sample.
    kind (Kind): The place.
    where (str): The place for people: a folder, an address.
    licence (str): What one may do with the text.
    url (str): Where one reads about the corpus.
    files (dict[str, str]): The SHA-256 of each native file.
    """

    corpus: str
    title: str
    kind: Kind
    where: str
    licence: str
    url: str
    files: dict[str, str]

    def line(self) -> str:
        """One line for people."""
        return f"{self.corpus}: {self.title}, from {self.where}"


def fetch(corpus: Corpus, assets: Path, *, allow_sample: bool = True) -> Source:
    """Put a corpus's native files into its folder, from the first place that has them.

    Those are: files the user put there; the folder named by the environment
    variable `NER_CORPORA`; what was fetched earlier; the public source; the
    built-in sample. What this function itself put there is listed in a marker
    file and is never taken for the user's, and neither is a copy of the sample.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    allow_sample (bool): Whether the built-in sample may be used.
    RETURNS (Source): What is there now; also written to the marker file.
    RAISES (InputError): If no place has the files, or one has the wrong ones.
    """
    folder = assets / corpus.name
    there = _identify(corpus, folder)
    if there is not None and there.kind is Kind.USER:
        for name in set(corpus.optional.values()) - set(there.files):
            remove(folder / name)  # was fetched, and does not belong to the user's files
        write_json(folder / MARKER, asdict(there))
        return there
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        found = _gather(corpus, temporary, there, allow_sample=allow_sample)
        if found is None:
            return read_source(corpus, folder)
        if found[0] is Kind.SAMPLE:
            _refuse_to_lose_real_files(corpus, folder)
        source = _describe(corpus, temporary, *found)
        if source != there:
            _replace(corpus, source, temporary, folder)
    return source


def read_source(corpus: Corpus, folder: Path) -> Source:
    """Tell where the native files in a folder came from.

    corpus (Corpus): The corpus.
    folder (Path): The folder with its native files.
    RETURNS (Source): The source; its `files` are those that belong together.
    RAISES (InputError): If files are missing, or some are the user's and some
        are not.
    """
    source = _identify(corpus, folder)
    if source is None:
        raise InputError(
            f"{folder}: {', '.join(corpus.files.values())} must be there. Fetch first."
        )
    return source


def load_source(path: Path) -> Source:
    """Read a source.json.

    path (Path): The file.
    RETURNS (Source): What it says.
    RAISES (InputError): If it is not one.
    """
    try:
        data = read_json(path)
        source = Source(**{**data, "kind": Kind(data["kind"])})
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not what the project writes. Fetch and convert again."
        ) from error
    if not isinstance(source.files, dict):
        raise InputError(f"{path}: not what the project writes. Fetch and convert again.")
    return source


def _identify(corpus: Corpus, folder: Path) -> Source | None:
    """Tell whose the files in a folder are; None if they are not complete."""
    files = _checksums(corpus, folder)
    marked = _marker(folder)
    fetched = marked.files if marked and marked.kind is not Kind.USER else {}
    sample = _sample_checksums(corpus)
    mine = {n: c for n, c in files.items() if c != fetched.get(n) and c not in sample}
    required = {recorded_name(name) for name in corpus.files.values()}
    if mine and not corpus.sample and (gone := sorted(required - set(files))):
        raise InputError(f"{folder / gone[0]}: not found, though {folder}/corpus.toml names it.")
    if mine and (others := sorted(required - set(mine))):
        raise InputError(
            f"{folder}: {', '.join(mine)} came from you, but not {', '.join(others)}. Add your own "
            f"{', '.join(others)}, or remove {', '.join(mine)}."
        )
    if mine:
        return _describe(corpus, folder, Kind.USER, _short(folder), mine)
    if required <= set(files) and sample.issuperset(files.values()):
        return _describe(corpus, folder, Kind.SAMPLE, GENERATOR)
    return marked if marked and marked.files == files else None


def _refuse_to_lose_real_files(corpus: Corpus, folder: Path) -> None:
    """Before the sample is written: some, but not all, of what was fetched may be there."""
    marked = _marker(folder)
    if marked and marked.kind in (Kind.PROVIDED, Kind.PUBLIC):
        left = [n for n, c in _checksums(corpus, folder).items() if marked.files.get(n) == c]
        gone = sorted(set(marked.files) - set(left))
        if left:
            raise InputError(
                f"{folder / gone[0]}: was fetched and is gone, and cannot be fetched now. Remove "
                f"{folder} to use the built-in sample."
            )


def _marker(folder: Path) -> Source | None:
    try:
        return load_source(folder / MARKER)
    except (OSError, InputError):
        return None


def _sample_checksums(corpus: Corpus) -> frozenset[str]:
    """The checksums of the built-in sample's files, so that no copy of it passes as real."""
    return _written_checksums(corpus.sample) if corpus.sample else frozenset()


@cache
def _written_checksums(write: Callable[[Path], None]) -> frozenset[str]:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        return frozenset(sha256(path) for path in Path(name).iterdir())


def _describe(
    corpus: Corpus, folder: Path, kind: Kind, where: str, files: dict[str, str] | None = None
) -> Source:
    sample = kind is Kind.SAMPLE
    return Source(
        corpus=corpus.name,
        title=f"built-in sample in the format of {corpus.title}" if sample else corpus.title,
        kind=kind,
        where=where,
        licence="generated, as the project's" if sample else corpus.licence,
        url="" if sample else corpus.url,
        files=_checksums(corpus, folder) if files is None else files,
    )


def _checksums(corpus: Corpus, folder: Path) -> dict[str, str]:
    names = corpus.present(folder).values()
    return {
        recorded_name(name): sha256(folder / name) for name in names if (folder / name).exists()
    }


def _short(folder: Path) -> str:
    return "/".join(folder.parts[-2:])


def _gather(
    corpus: Corpus, folder: Path, there: Source | None, *, allow_sample: bool
) -> tuple[Kind, str] | None:
    """Write the native files into a folder; None to keep those that are there."""
    unreachable = ""
    if provided := _provided(corpus):
        for name, path in provided.items():
            shutil.copyfile(path, folder / name)
        return Kind.PROVIDED, f"the folder in {PROVIDED}"
    if there is not None and there.kind is not Kind.SAMPLE:
        return None
    if corpus.public:
        try:
            corpus.public.fetch(folder)
            return Kind.PUBLIC, corpus.public.where
        except ConnectionError as error:
            unreachable = f"{corpus.public.where} cannot be reached"
            print(f"{corpus.name}: {unreachable}: {error}")
    if corpus.sample and allow_sample:
        corpus.sample(folder)
        return Kind.SAMPLE, GENERATOR
    if not corpus.provided:
        raise InputError(
            f"assets/{corpus.name}/{next(iter(corpus.files.values()))}: not found, though "
            f"assets/{corpus.name}/corpus.toml names it."
        )
    raise InputError(
        f"no {corpus.title} here: put {', '.join(corpus.files.values())} into "
        f"assets/{corpus.name}/, or set {PROVIDED} to a folder that has "
        f"{', '.join(corpus.provided.values())}" + (f" ({unreachable})." if unreachable else ".")
    )


def _provided(corpus: Corpus) -> dict[str, Path]:
    """The files under `NER_CORPORA`, if it is set and has any of them."""
    if not os.environ.get(PROVIDED):
        return {}
    root = Path(os.environ[PROVIDED])
    if not root.is_dir():
        raise InputError(f"{PROVIDED} is set to {root}, which is not a folder. Fix or unset it.")
    paths = {name: root / place for name, place in corpus.provided.items()}
    missing = [path for path in paths.values() if not path.exists()]
    if missing and len(missing) < len(paths):
        raise InputError(
            f"{missing[0]}: not found, though {PROVIDED} has others of {corpus.title}."
        )
    if missing:
        return {}
    for path in paths.values():
        if sha256(path) in _sample_checksums(corpus):
            raise InputError(
                f"{path}: is the built-in sample, not {corpus.title}. Unset {PROVIDED}."
            )
    return paths


def _replace(corpus: Corpus, source: Source, temporary: Path, folder: Path) -> None:
    """Replace fetched files. A run killed at any point leaves none that look like the user's."""
    for name in [*corpus.files.values(), *corpus.optional.values()]:
        remove(folder / name)
    write_json(folder / MARKER, asdict(source))
    for name in source.files:
        with replacing(folder / name) as partial:
            shutil.copyfile(temporary / name, partial)
