"""Records of an evaluation: the contents of the metrics file, which docs/report.md describes.

Scores and shares are from 0 to 1, losses in nats per token.
"""

from pathlib import Path
from typing import Any, TypedDict, cast

from ..errors import InputError
from ..files import read_json
from ..loading import PipelineRecord

SCHEMA = 1  # of the metrics file


class Prf(TypedDict):
    """Precision, recall and F1."""

    precision: float
    recall: float
    f1: float


class Interval(TypedDict):
    """Lower and upper end of an interval, for each of the three scores."""

    precision: list[float]
    recall: list[float]
    f1: list[float]


class CountedPrf(Prf):
    """Scores with the number of gold (`support`) and predicted mentions."""

    support: int
    predicted: int


class LabelScores(CountedPrf):
    """Strict scores of a label with their bootstrap interval."""

    interval_95: Interval | None


class ThresholdScores(TypedDict):
    """Scores of the mentions whose confidence reaches a threshold, and the share of them."""

    precision: float
    recall: float
    kept: float


class ConfidenceSummary(TypedDict):
    """Reliability of the confidence on a split. `ece` is the expected calibration error."""

    mentions: int
    ece: float
    thresholds: dict[str, ThresholdScores]


class Confidence(ConfidenceSummary):
    """The same with the error before calibration, None if it is unknown."""

    ece_uncalibrated: float | None


class SplitScores(Prf):
    """Strict scores of a split on gold tokens."""

    labels: dict[str, Prf]
    words_per_second: int
    loss: float | None
    confidence: Confidence | None


class SourceRecord(TypedDict):
    """The origin of a corpus: the fields of `bert_ner.corpora.sources.Source`."""

    corpus: str
    title: str
    kind: str
    where: str
    licence: str
    url: str
    files: dict[str, str]


class Scores(PipelineRecord):
    """Scores of a pipeline on dev and test: the file that `evaluate` writes without a page."""

    source: SourceRecord
    scores: dict[str, SplitScores]
    machine: str
    date: str


class TokenScores(TypedDict):
    """Scores of the IOB2 tags of single tokens."""

    accuracy: float
    macro_f1: float
    weighted_f1: float
    f1: float


class Confused(TypedDict):
    """Number of pairs with a gold and a predicted label. None is no mention."""

    gold: str | None
    predicted: str | None
    count: int


class ReliabilityBin(TypedDict):
    """A bin of predicted mentions with similar confidence; precision is the share that is right."""

    mentions: int
    confidence: float
    precision: float


class RiskPoint(TypedDict):
    """The share of wrong mentions (risk) if the least confident ones are dropped."""

    coverage: float
    risk: float
    confidence: float


class SplitReport(TypedDict):
    """Everything that the report shows of a split."""

    views: dict[str, CountedPrf]
    macro: Prf
    labels: dict[str, LabelScores]
    tokens: TokenScores
    interval_95: Interval | None
    errors: dict[str, int]
    confusion: list[Confused]
    by: dict[str, dict[str, CountedPrf]]
    reliability: list[ReliabilityBin] | None
    risk_coverage: list[RiskPoint] | None
    area_under_risk: float | None
    documents: list[list[int]]
    loss: float | None


class LearningStep(TypedDict):
    """An evaluation on dev during training. None is a value that the component does not give."""

    epoch: float
    step: int
    training_loss: float | None
    dev_loss: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    accuracy: float | None


class Case(TypedDict):
    """A sentence of configs/cases.toml."""

    about: str
    text: str


class AnnotatedCase(Case):
    """A sentence of configs/cases.toml, its words, and the mentions found in it."""

    words: list[str]
    found: list[tuple[int, int, str]]


class PaperFigure(TypedDict):
    """A figure of a paper next to ours: in points, a loss in nats. None is not measured."""

    paper: str
    about: str
    split: str
    metric: str
    theirs: float
    ours: float | None


class Difference(TypedDict):
    """F1 of two runs on the same documents, and the p-value of their difference."""

    f1: float
    other_f1: float
    difference: float
    p: float


class Comparison(Difference):
    """The difference from a named run."""

    name: str


class Seeds(TypedDict):
    """Mean and standard deviation of F1, in points, over runs that differ only in their seed."""

    runs: int
    mean: float
    sd: float
    seeds: list[int | None]
    f1: list[float]


class Metrics(Scores):
    """Everything that is measured for a report: the file that `evaluate` writes with a page."""

    schema: int
    splits: dict[str, SplitReport]
    learned: list[LearningStep]
    raw_text: CountedPrf
    robustness: dict[str, CountedPrf]
    cases: list[AnnotatedCase]
    papers: list[PaperFigure]
    against: Comparison | None
    seeds: Seeds | None


class RankingScores(TypedDict):
    """Precision and recall of the first sentences of an audit's ranking."""

    sentences: int
    precision: float
    recall: float


class CorrectedF1(TypedDict):
    """Strict F1 on a split with its original and with its corrected annotation."""

    original: float
    corrected: float


class Judgement(TypedDict):
    """An audit judged by a corrected annotation."""

    changed_sentences: int
    ranking: list[RankingScores]
    f1: CorrectedF1


class AuditRecord(PipelineRecord, Judgement):
    """The file that `audit` writes about a judged ranking."""


def read_metrics(path: Path) -> Metrics:
    """Read the metrics file of an evaluation with a page.

    Only the schema's number is checked: a file that was edited by hand may lack keys.

    path (Path): The JSON file.
    RETURNS (Metrics): Its contents.
    RAISES (InputError): If it does not exist, or another version of the project
        wrote it.
    """
    metrics: Any = read_json(path)
    schema = metrics.get("schema") if isinstance(metrics, dict) else None
    if schema != SCHEMA:
        raise InputError(
            f"{path}: expected metrics of schema {SCHEMA}, found {schema}. "
            f"Evaluate that run again, with --page."
        )
    return cast(Metrics, metrics)
