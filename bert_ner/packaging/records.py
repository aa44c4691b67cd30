"""Records of packaging: meta.json, and the results of its checks."""

from typing import NotRequired, TypedDict

from ..training.records import TrainingRecord


class SourceMeta(TypedDict):
    """A corpus or an encoder that a pipeline was made from."""

    name: str
    url: str
    license: str


class CorpusMeta(TypedDict, total=False):
    """The corpus that a pipeline was trained on, in its meta.json."""

    kind: str
    where: str
    files: dict[str, str]
    paper: str
    labels: dict[str, str]
    example: str


class LabelPerformance(TypedDict):
    """Scores of one label, from 0 to 1, under spaCy's names."""

    p: float
    r: float
    f: float


class Performance(TypedDict):
    """Scores on test under spaCy's names; speed is in words a second."""

    ents_p: float
    ents_r: float
    ents_f: float
    ents_per_type: dict[str, LabelPerformance]
    speed: int


class Meta(TypedDict):
    """The part of a pipeline's meta.json that the project writes and reads."""

    lang: str
    name: str
    version: str
    description: str
    author: str
    license: str
    pipeline: list[str]
    labels: dict[str, list[str]]
    sources: list[SourceMeta]
    training: TrainingRecord
    corpus: NotRequired[CorpusMeta]
    needs: NotRequired[list[str]]
    requirements: NotRequired[list[str]]
    performance: NotRequired[Performance]
    notes: NotRequired[str]


class WheelCheck(TypedDict):
    """A wheel that was installed in isolation.

    entities: Text and label of each entity in the example sentence.
    f1: Strict F1 on test, from 0 to 1.
    code: The imported modules of the wheel.
    example: The sentence.
    """

    entities: list[tuple[str, str]]
    f1: float
    code: list[str]
    example: str


class Agreement(TypedDict):
    """Agreement of two pipelines on the same documents.

    mentions: Predicted by the first.
    agreement: F1 of one pipeline's mentions against the other's.
    f1: Strict F1 of each against the gold mentions, under "before" and "after".
    confidence_difference: Mean absolute difference over mentions that both predict; None
        without confidence.
    """

    mentions: int
    agreement: float
    f1: dict[str, float]
    confidence_difference: float | None


class QuantizeRecord(Agreement):
    """The same for a pipeline and its int8 variant.

    agreement_alone: Agreement of the variant with itself when it reads one document at a time.
    """

    agreement_alone: float
