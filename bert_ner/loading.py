"""Loads trained pipelines and converted splits, and describes pipelines for records."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict, cast, runtime_checkable

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus as Reader
from spacy.training import Example

from .errors import InputError, first_line

if TYPE_CHECKING:
    from torch import Tensor

    from .pipes.confidence import Calibration
    from .pipes.crf import Mention


@runtime_checkable
class ConfidencePipe(Protocol):
    """A component that gives each entity a confidence and drops those below a minimum."""

    min_confidence: float


@runtime_checkable
class EntityPipe(ConfidencePipe, Protocol):
    """A component whose confidence is calibrated from the scores of tags.

    The repository and each wheel have their own class `TokenClassifierNER`, so the type is
    checked by its members. `bert_ner.pipes.ner` describes them.
    """

    calibration: "Calibration"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its entities."""

    def predict(self, docs: Iterable[Doc]) -> "list[list[Mention]]":
        """Find the mentions of each document, without changing it."""

    def score_tags(self, docs: list[Doc]) -> "tuple[list[Tensor], Tensor]":
        """Score the tags of each token."""

    def decode(
        self, scores: "list[Tensor]", transitions: "Tensor", *, temperature: float
    ) -> "list[list[Mention]]":
        """Find the mentions in scores of tags."""

    def token_losses(self, examples: Iterable[Example]) -> list[list[float]]:
        """Compute the loss of each token's gold tag, in nats."""


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


def load_pipeline(name: str | Path, overrides: Mapping[str, object] | None = None) -> Language:
    """Load an installed pipeline or one in a folder.

    name (str | Path): Its name or its folder.
    overrides (Mapping[str, object] | None): Changes to its config.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If it does not exist or cannot be loaded.
    """
    try:
        return spacy.load(name, config=overrides or {})
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(
            f"{name}: not a pipeline that can be loaded: {first_line(error)}"
        ) from error


def find_entity_pipe(nlp: Language) -> EntityPipe | None:
    """Find the component whose confidence can be calibrated.

    nlp (Language): The pipeline.
    RETURNS (EntityPipe | None): The first one; None if the pipeline has none.
    """
    return next((pipe for _, pipe in nlp.pipeline if isinstance(pipe, EntityPipe)), None)


def find_confidence_pipe(nlp: Language) -> ConfidencePipe | None:
    """Find the component that gives entities a confidence.

    nlp (Language): The pipeline.
    RETURNS (ConfidencePipe | None): The first one; None if the pipeline has none.
    """
    return next((pipe for _, pipe in nlp.pipeline if isinstance(pipe, ConfidencePipe)), None)


def keep_encodings(nlp: Language) -> None:
    """Keep the encoder's output in documents, to compute losses from it afterwards."""
    if "doc_cleaner" in nlp.pipe_names:
        nlp.disable_pipe("doc_cleaner")


def load_examples(nlp: Language, path: Path) -> list[Example]:
    """Read a converted split, with its gold tokens.

    nlp (Language): The pipeline.
    path (Path): The .spacy file.
    RETURNS (list[Example]): Its documents.
    RAISES (InputError): If it does not exist, cannot be read or is empty.
    """
    try:
        examples = list(Reader(path)(nlp))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a converted split: {first_line(error)}") from error
    if not examples:
        raise InputError(f"{path}: contains no documents. Convert the corpus again.")
    return examples


def trained_on(nlp: Language) -> str:
    """Read the title of a pipeline's training corpus from its meta, "unknown" if missing."""
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
