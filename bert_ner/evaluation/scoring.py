"""Strict scores of a pipeline on the splits of a converted corpus."""

import time
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example
from spacy.util import is_package, minibatch

from ..calibration.outcomes import Outcomes, expected_calibration_error, outcomes, summary
from ..corpora.sources import Source
from ..devices import describe_machine, use_device
from ..files import require
from ..loading import (
    describe_pipeline,
    find_entity_pipe,
    keep_encodings,
    load_examples,
    load_pipeline,
)
from ..pipes.confidence import Calibration
from ..progress import track
from .documents import Document, read_documents
from .records import Confidence, Prf, Scores, SourceRecord, SplitScores

SPLITS = ("dev", "test")


@dataclass(frozen=True)
class ScoredSplit:
    """A split that a pipeline has annotated.

    examples (list[Example]): The annotated examples.
    scores (SplitScores): Their scores.
    """

    examples: list[Example]
    scores: SplitScores

    @cached_property
    def documents(self) -> list[Document]:
        """The documents with their paired mentions."""
        return read_documents(self.examples)


def score(nlp: Language, path: Path) -> SplitScores:
    """Score a split strictly on gold tokens: span and label of a mention must be correct.

    nlp (Language): The pipeline.
    path (Path): The .spacy file of the split.
    RETURNS (SplitScores): The scores, from 0 to 1; the loss is in nats per token.
    """
    return score_split(nlp, path).scores


def score_split(nlp: Language, path: Path) -> ScoredSplit:
    """Score a split like `score`, and keep the annotated examples."""
    examples = load_examples(nlp, path)
    words = sum(len(example) for example in examples)
    started = time.perf_counter()
    annotate(nlp, examples, path.stem)
    seconds = time.perf_counter() - started
    values = Scorer(nlp).score(examples)
    per_label = values["ents_per_type"] or {}
    scores: SplitScores = {
        **_prf(values, "ents_"),
        "labels": {label: _prf(per_label[label]) for label in sorted(per_label)},
        "words_per_second": round(words / seconds),
        "loss": values.get("ents_loss"),
        "confidence": _confidence(nlp, examples),
    }
    return ScoredSplit(examples, scores)


def annotate(
    nlp: Language,
    examples: list[Example],
    what: str = "annotating",
    *,
    batch_size: int | None = None,
) -> None:
    """Annotate examples with a pipeline and show the progress.

    nlp (Language): The pipeline.
    examples (list[Example]): The examples. Their predicted documents are replaced.
    what (str): Name of the examples in the progress bar.
    batch_size (int | None): Number of documents per batch, by default the pipeline's own.
    """
    docs = nlp.pipe([example.predicted for example in examples], batch_size=batch_size)
    for example, doc in track(zip(examples, docs, strict=True), what, total=len(examples)):
        example.predicted = doc


def _confidence(nlp: Language, examples: list[Example]) -> Confidence | None:
    mentions = outcomes(examples)
    if mentions is None:
        return None
    reliability = summary(mentions)
    return {
        "mentions": reliability["mentions"],
        "ece": reliability["ece"],
        "thresholds": reliability["thresholds"],
        "ece_uncalibrated": uncalibrated_error(nlp, examples),
    }


def uncalibrated_error(nlp: Language, examples: list[Example]) -> float | None:
    """Compute the expected calibration error of a pipeline before its calibration.

    nlp (Language): The pipeline.
    examples (list[Example]): The split, annotated by the pipeline.
    RETURNS (float | None): From 0 to 1. None if the pipeline gives no confidence, or if a
        threshold drops mentions, so that the two errors would not compare.
    """
    pipe = find_entity_pipe(nlp)
    if pipe is None or pipe.min_confidence > 0:
        return None
    fitted = pipe.calibration
    batches = list(minibatch(examples, nlp.batch_size))
    try:
        pipe.calibration = Calibration()
        predicted = [
            mentions
            for batch in track(batches, "before calibration", total=len(batches))
            for mentions in pipe.predict([example.predicted for example in batch])
        ]
    finally:
        pipe.calibration = fitted
    confidence, correct = [], []
    for example, mentions in zip(examples, predicted, strict=True):
        gold = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
        confidence += [mention[3] for mention in mentions]
        correct += [tuple(mention[:3]) in gold for mention in mentions]
    total = sum(len(example.reference.ents) for example in examples)
    return expected_calibration_error(Outcomes(np.array(confidence), np.array(correct), total))


def _prf(values: dict[str, Any], prefix: str = "") -> Prf:
    return {
        "precision": values[f"{prefix}p"] or 0.0,
        "recall": values[f"{prefix}r"] or 0.0,
        "f1": values[f"{prefix}f"] or 0.0,
    }


def load(pipeline: Path, corpus: Path, *, gpu: int) -> Language:
    """Load a pipeline for scoring.

    pipeline (Path): Its folder, or the name of an installed one.
    corpus (Path): The folder of the converted corpus.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If the pipeline or a file of the corpus does not exist.
    """
    installed = is_package(str(pipeline))
    needed = [corpus / f"{split}.spacy" for split in SPLITS] + [corpus / "source.json"]
    require(*(needed if installed else [pipeline / "meta.json", *needed]))
    use_device(gpu)
    nlp = load_pipeline(str(pipeline) if installed else pipeline)
    keep_encodings(nlp)
    return nlp


def describe(nlp: Language, source: Source, splits: dict[str, ScoredSplit], *, gpu: int) -> Scores:
    """Describe scores and what was measured, for a JSON file.

    nlp (Language): The pipeline.
    source (Source): The source of the corpus.
    splits (dict[str, ScoredSplit]): The scored splits.
    gpu (int): The number of the GPU in use, -1 for the CPU.
    RETURNS (Scores): The record.
    """
    return {
        **describe_pipeline(nlp),
        "source": source_record(source),
        "scores": {name: split.scores for name, split in splits.items()},
        "machine": describe_machine(gpu),
        "date": date.today().isoformat(),
    }


def source_record(source: Source) -> SourceRecord:
    """Convert the source of a corpus to a record for a JSON file."""
    return cast(SourceRecord, asdict(source))
