"""Loading trained pipelines and converted splits, with errors that teach."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import spacy
from spacy.language import Language
from spacy.training import Corpus as Reader
from spacy.training import Example

from .errors import InputError, first_line


class PipelineTraining(TypedDict):
    """Facts about a pipeline's training, by its meta.json. None is unknown."""

    recipe: str | None
    encoder: str | None
    epochs: int | None
    seed: int | None
    corpus: NotRequired[str]
    encoder_sha256: NotRequired[str]
    steps_per_epoch: NotRequired[int]
    half_precision: NotRequired[bool]
    seconds: NotRequired[int]
    peak_memory_mb: NotRequired[int]
    machine: NotRequired[str]
    date: NotRequired[str]


class PipelineRecord(TypedDict):
    """Name of a pipeline, title of its training corpus, and facts about the training."""

    pipeline: str
    trained_on: str
    training: PipelineTraining


def load_pipeline(name: str | Path, overrides: dict[str, Any] | None = None) -> Language:
    """Load an installed pipeline or one in a folder.

    name (str | Path): Its name or its folder.
    overrides (dict[str, Any] | None): What its config is to have otherwise.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If there is none or it cannot be loaded.
    """
    try:
        return spacy.load(name, config=overrides or {})
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(f"{name}: not a pipeline that loads: {first_line(error)}") from error


def keep_encodings(nlp: Language) -> None:
    """Let documents keep what the encoder has put out, for a loss or a doubt to be computed."""
    if "doc_cleaner" in nlp.pipe_names:
        nlp.disable_pipe("doc_cleaner")


def load_examples(nlp: Language, path: Path) -> list[Example]:
    """Read a converted split, with its gold tokens.

    nlp (Language): The pipeline.
    path (Path): The .spacy file.
    RETURNS (list[Example]): Its documents.
    RAISES (InputError): If it is not there, cannot be read or is empty.
    """
    try:
        examples = list(Reader(path)(nlp))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a converted split: {first_line(error)}") from error
    if not examples:
        raise InputError(f"{path}: holds no documents. Convert the corpus again.")
    return examples


def trained_on(nlp: Language) -> str:
    """What a pipeline says it was trained on."""
    sources = nlp.meta.get("sources")
    first = sources[0] if isinstance(sources, list) and sources else None
    name = first.get("name") if isinstance(first, dict) else first
    return str(name or "unknown")


def training_of(nlp: Language) -> PipelineTraining:
    """Read a pipeline's training record. Unknown facts are None."""
    stored = nlp.meta.get("training")
    unknown = dict.fromkeys(("recipe", "encoder", "epochs", "seed"))
    return cast(PipelineTraining, {**unknown, **(stored if isinstance(stored, dict) else {})})


def describe_pipeline(nlp: Language) -> PipelineRecord:
    """Describe a pipeline and its training for a JSON file."""
    return {
        "pipeline": f"{nlp.meta['lang']}_{nlp.meta['name']}",
        "trained_on": trained_on(nlp),
        "training": training_of(nlp),
    }
