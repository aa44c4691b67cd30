"""Fetches a corpus's native files from the first source that has them."""

import logging
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..files import read_json, remove, replacing, sha256, write_json
from .sample.checksums import sample_checksums
from .spec import Corpus, recorded_name

MARKER = ".source.json"
PROVIDED = "NER_CORPORA"
GENERATOR = "the project's generator"

logger = logging.getLogger(__name__)


class Kind(StrEnum):
    """The kinds of source, in the order in which they are tried."""

    USER = "user"
    PROVIDED = "provided"
    PUBLIC = "public"
    SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class Source:
    """The origin of native files.

    corpus (str): The corpus's name.
    title (str): Its name for people, which tells the sample from the corpus.
    kind (Kind): The kind of source.
    where (str): The source for people: a folder or an address.
    licence (str): The licence of the text.
    url (str): The corpus's home page.
    files (dict[str, str]): The SHA-256 of each native file, and of the file that
        describes the user's own corpus.
    """

    corpus: str
    title: str
    kind: Kind
    where: str
    licence: str
    url: str
    files: dict[str, str]

    def line(self) -> str:
        """Describe the origin in one line."""
        return f"{self.corpus}: {self.title}, from {self.where}"


class _Origin(NamedTuple):
    """The part of a source that depends on where the files were found."""

    kind: Kind
    where: str


def fetch(corpus: Corpus, assets: Path, *, allow_sample: bool = True) -> Source:
    """Put a corpus's native files into its folder, from the first source that has them.

    The sources are, in order: files that the user put there; the folder named by
    the environment variable `NER_CORPORA`; files that were fetched earlier; the
    public source; the built-in sample. A marker file lists the files that this
    function wrote, so that they do not count as the user's. Nor does a copy of
    the sample.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    allow_sample (bool): Whether the built-in sample may be used.
    RETURNS (Source): The origin of the files; also written to the marker file.
    RAISES (InputError): If no source has the files, or one has the wrong ones.
    """
    folder = assets / corpus.name
    present = _identify(corpus, folder)
    if present is not None and present.kind is Kind.USER:
        for name in set(corpus.optional.values()) - set(present.files):
            remove(folder / name)  # fetched, and not one of the user's files
        write_json(folder / MARKER, asdict(present))
        return present
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        origin = _gather(corpus, temporary, present, allow_sample=allow_sample)
        if origin is None:
            return read_source(corpus, folder)
        if origin.kind is Kind.SAMPLE:
            _refuse_to_lose_real_files(corpus, folder)
        source = _describe(corpus, origin, _checksums(corpus, temporary))
        if source != present:
            _replace(corpus, source, temporary, folder)
    return source


def read_source(corpus: Corpus, folder: Path) -> Source:
    """Identify the origin of the native files in a folder.

    corpus (Corpus): The corpus.
    folder (Path): The folder with its native files.
    RETURNS (Source): The origin; its `files` are those that belong together.
    RAISES (InputError): If files are missing, or only some are the user's.
    """
    source = _identify(corpus, folder)
    if source is None:
        raise InputError(
            f"{folder}: expected {', '.join(corpus.files.values())}. Fetch the corpus first."
        )
    return source


def load_source(path: Path) -> Source:
    """Read a source.json or a marker file.

    path (Path): The file.
    RETURNS (Source): Its contents.
    RAISES (InputError): If the project did not write it.
    """
    try:
        data = read_json(path)
        source = Source(**{**data, "kind": Kind(data["kind"])})
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not written by this project. Fetch and convert again."
        ) from error
    if not isinstance(source.files, dict):
        raise InputError(f"{path}: not written by this project. Fetch and convert again.")
    return source


def _identify(corpus: Corpus, folder: Path) -> Source | None:
    """Identify the origin of the files in a folder. None if they are incomplete."""
    files = _checksums(corpus, folder)
    marked = _marker(folder)
    fetched = marked.files if marked and marked.kind is not Kind.USER else {}
    sample = _sample(corpus)
    mine = {n: c for n, c in files.items() if c != fetched.get(n) and c not in sample}
    required = {recorded_name(name) for name in corpus.files.values()}
    if mine and corpus.described_in and (missing := sorted(required - set(files))):
        raise InputError(f"{folder / missing[0]}: not found, but {corpus.described_in} names it.")
    if mine and (others := sorted(required - set(mine))):
        raise InputError(
            f"{folder}: has your own {', '.join(mine)}, but not {', '.join(others)}. Add your "
            f"own {', '.join(others)}, or remove {', '.join(mine)}."
        )
    if mine:
        return _describe(corpus, _Origin(Kind.USER, "/".join(folder.parts[-2:])), mine)
    if required <= set(files) and sample.issuperset(files.values()):
        return _describe(corpus, _Origin(Kind.SAMPLE, GENERATOR), files)
    return marked if marked and marked.files == files else None


def _refuse_to_lose_real_files(corpus: Corpus, folder: Path) -> None:
    """Check that the sample does not replace the rest of an incomplete real corpus."""
    marked = _marker(folder)
    if marked and marked.kind in (Kind.PROVIDED, Kind.PUBLIC):
        left = [n for n, c in _checksums(corpus, folder).items() if marked.files.get(n) == c]
        missing = sorted(set(marked.files) - set(left))
        if left:
            raise InputError(
                f"{folder / missing[0]}: was fetched before, is missing, and cannot be "
                f"fetched now. Remove {folder} to use the built-in sample."
            )


def _marker(folder: Path) -> Source | None:
    try:
        return load_source(folder / MARKER)
    except (OSError, InputError):
        return None


def _sample(corpus: Corpus) -> frozenset[str]:
    """Look up the checksums of the sample, so that no copy of it passes as real."""
    return sample_checksums(corpus.name, corpus.sample) if corpus.sample else frozenset()


def _describe(corpus: Corpus, origin: _Origin, files: dict[str, str]) -> Source:
    sample = origin.kind is Kind.SAMPLE
    return Source(
        corpus=corpus.name,
        title=f"built-in sample in the format of {corpus.title}" if sample else corpus.title,
        kind=origin.kind,
        where=origin.where,
        licence="generated, as the project's" if sample else corpus.licence,
        url="" if sample else corpus.url,
        files=files,
    )


def _checksums(corpus: Corpus, folder: Path) -> dict[str, str]:
    """Compute the checksum of each file that decides what is converted, by recorded name."""
    paths = {recorded_name(name): folder / name for name in corpus.present(folder).values()}
    if corpus.described_in:
        paths[corpus.described_in.name] = corpus.described_in
    return {name: sha256(path) for name, path in paths.items() if path.exists()}


def _gather(
    corpus: Corpus, folder: Path, present: Source | None, *, allow_sample: bool
) -> _Origin | None:
    """Write the native files into a folder. None to keep the present ones."""
    unreachable = ""
    if provided := _provided(corpus):
        for name, path in provided.items():
            shutil.copyfile(path, folder / name)
        return _Origin(Kind.PROVIDED, f"the folder in {PROVIDED}")
    if present is not None and present.kind is not Kind.SAMPLE:
        return None
    if corpus.public:
        try:
            corpus.public.fetch(folder)
            return _Origin(Kind.PUBLIC, corpus.public.where)
        except ConnectionError as error:
            unreachable = f"{corpus.public.where} cannot be reached: {error}"
    if corpus.sample and allow_sample:
        if unreachable:
            logger.warning("%s: %s; using the built-in sample", corpus.name, unreachable)
        corpus.sample(folder)
        return _Origin(Kind.SAMPLE, GENERATOR)
    raise _nowhere(corpus, unreachable)


def _nowhere(corpus: Corpus, unreachable: str) -> InputError:
    """Make the error for a corpus that no source has."""
    if corpus.described_in:
        name = next(iter(corpus.files.values()))
        return InputError(
            f"{corpus.described_in.parent / name}: not found, but {corpus.described_in} names it."
        )
    return InputError(
        f"no {corpus.title} here: put {', '.join(corpus.files.values())} into "
        f"assets/{corpus.name}/, or set {PROVIDED} to a folder that has "
        f"{', '.join(corpus.provided.values())}" + (f" ({unreachable})." if unreachable else ".")
    )


def _provided(corpus: Corpus) -> dict[str, Path]:
    """Find the files in `NER_CORPORA`, if it is set and has any of them."""
    if not os.environ.get(PROVIDED):
        return {}
    root = Path(os.environ[PROVIDED])
    if not root.is_dir():
        raise InputError(f"{PROVIDED} is set to {root}, which is not a folder. Fix or unset it.")
    paths = {name: root / path for name, path in corpus.provided.items()}
    missing = [path for path in paths.values() if not path.exists()]
    if missing and len(missing) < len(paths):
        raise InputError(
            f"{missing[0]}: not found, but {PROVIDED} has other files of {corpus.title}."
        )
    if missing:
        return {}
    for path in paths.values():
        if sha256(path) in _sample(corpus):
            raise InputError(
                f"{path}: is the built-in sample, not {corpus.title}. Unset {PROVIDED}."
            )
    return paths


def _replace(corpus: Corpus, source: Source, temporary: Path, folder: Path) -> None:
    """Replace fetched files.

    The marker is written first: a run killed at any point leaves no file that looks
    like the user's.
    """
    for name in [*corpus.files.values(), *corpus.optional.values()]:
        remove(folder / name)
    write_json(folder / MARKER, asdict(source))
    for name in source.files:
        with replacing(folder / name) as partial:
            shutil.copyfile(temporary / name, partial)
