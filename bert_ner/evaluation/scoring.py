"""Score a trained pipeline on the dev and test splits of a converted corpus."""

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example
from spacy.util import is_package, minibatch
from wasabi import table

from ..calibration.outcomes import Outcomes, expected_calibration_error, outcomes, summary
from ..corpora.sources import Kind, Source, load_source
from ..devices import choose_gpu, describe_machine, use_device
from ..errors import InputError
from ..files import write_json
from ..loading import describe_pipeline, keep_encodings, load_examples, load_pipeline
from ..pipes.confidence import Calibration
from ..progress import track

SPLITS = ("dev", "test")


def score(nlp: Language, path: Path) -> dict[str, Any]:
    """Strict entity scores on gold tokens: a mention counts if span and label are right.

    nlp (Language): The pipeline.
    path (Path): The split, a .spacy file.
    RETURNS (dict[str, Any]): precision, recall and f1 from 0 to 1 over all
        mentions and by label, words_per_second, loss (the mean of a token in nats,
        None where the pipeline has none), and confidence: None, or what
        `bert_ner.calibration.outcomes.summary` gives, and ece_uncalibrated.
    """
    return score_split(nlp, path)[1]


def score_split(nlp: Language, path: Path) -> tuple[list[Example], dict[str, Any]]:
    """The same as `score`, with the annotated examples."""
    examples = load_examples(nlp, path)
    words = sum(len(example) for example in examples)
    started = time.perf_counter()
    annotate(nlp, examples, path.stem)
    seconds = time.perf_counter() - started
    scores = Scorer(nlp).score(examples)
    found = outcomes(examples)
    return examples, {
        **_prf(scores, "ents_"),
        "labels": {
            label: _prf(values) for label, values in sorted((scores["ents_per_type"] or {}).items())
        },
        "words_per_second": round(words / seconds),
        "loss": scores.get("ents_loss"),
        "confidence": found
        and {**summary(found), "ece_uncalibrated": uncalibrated_error(nlp, examples)},
    }


def annotate(
    nlp: Language,
    examples: list[Example],
    what: str = "annotating",
    *,
    batch_size: int | None = None,
) -> None:
    """Put a pipeline's annotations into examples, and say how far it is with what."""
    docs = nlp.pipe([example.predicted for example in examples], batch_size=batch_size)
    done = track(zip(examples, docs, strict=True), what, total=len(examples))
    for example, doc in done:
        example.predicted = doc


def uncalibrated_error(nlp: Language, examples: list[Example]) -> float | None:
    """The expected calibration error of a pipeline's own probabilities.

    nlp (Language): The pipeline.
    examples (list[Example]): The split, as the pipeline has annotated it.
    RETURNS (float | None): From 0 to 1; None if it gives none, or if a threshold
        drops mentions, which would then not be the same.
    """
    pipes = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "calibration")]
    if len(pipes) != 1 or pipes[0].min_confidence > 0:
        return None
    chosen = pipes[0].calibration
    batches = list(minibatch(examples, nlp.batch_size))
    try:
        pipes[0].calibration = Calibration()
        found = [
            mentions
            for batch in track(batches, "before calibration", total=len(batches))
            for mentions in pipes[0].predict([example.predicted for example in batch])
        ]
    finally:
        pipes[0].calibration = chosen
    confidence, correct = [], []
    for example, mentions in zip(examples, found, strict=True):
        gold = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
        confidence += [mention[3] for mention in mentions]
        correct += [tuple(mention[:3]) in gold for mention in mentions]
    total = sum(len(example.reference.ents) for example in examples)
    return expected_calibration_error(Outcomes(np.array(confidence), np.array(correct), total))


def _prf(values: dict[str, Any], prefix: str = "") -> dict[str, float]:
    names = {"precision": "p", "recall": "r", "f1": "f"}
    return {name: values[prefix + short] or 0.0 for name, short in names.items()}


def evaluate(model: Path, data: Path, output: Path, *, gpu: int = -1) -> dict[str, Any]:
    """Score a pipeline and write the scores with what they were measured on.

    model (Path): The trained pipeline.
    data (Path): The folder of the converted corpus.
    output (Path): The JSON file to write.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): What was written.
    RAISES (InputError): If the pipeline or the corpus is not there.
    """
    nlp = load(model, data, gpu=gpu)
    scores = {split: score(nlp, data / f"{split}.spacy") for split in SPLITS}
    metrics = describe(nlp, load_source(data / "source.json"), scores, gpu=gpu)
    write_json(output, metrics)
    report_scores(metrics)
    return metrics


def load(model: Path, data: Path, *, gpu: int) -> Language:
    """Load a pipeline to be scored, if all that takes is there.

    model (Path): Its folder, or the name of an installed one.
    data (Path): The folder of the converted corpus.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (Language): The pipeline.
    RAISES (InputError): If the pipeline or the corpus is not there.
    """
    installed = is_package(str(model))
    needed = [data / f"{split}.spacy" for split in SPLITS] + [data / "source.json"]
    for path in needed if installed else [model / "meta.json", *needed]:
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    use_device(gpu)
    nlp = load_pipeline(str(model) if installed else model)
    keep_encodings(nlp)
    return nlp


def describe(
    nlp: Language, source: Source, scores: dict[str, dict[str, Any]], *, gpu: int
) -> dict[str, Any]:
    """Scores with what they were measured on, for a JSON file."""
    return {
        **describe_pipeline(nlp),
        "source": asdict(source),
        "scores": scores,
        "machine": describe_machine(gpu),
        "date": date.today().isoformat(),
    }


def report_scores(metrics: dict[str, Any]) -> None:
    """Print scores for people."""
    source, scores = metrics["source"], metrics["scores"]
    print(f"{metrics['pipeline']}, trained on: {metrics['trained_on']}")
    print(f"scored on: {source['title']}, from {source['where']}")
    rows = [(split, *_percent(values)) for split, values in scores.items()]
    rows += [(f"  {label}", *_percent(v)) for label, v in scores["test"]["labels"].items()]
    print(table(rows, header=("", "P", "R", "F1"), divider=True, aligns=("l", "r", "r", "r")))
    for split, values in scores.items():
        if values["confidence"]:
            sure = values["confidence"]["thresholds"]["0.9"]
            print(
                f"{split}: expected calibration error {values['confidence']['ece']:.4f}; "
                f"at confidence 0.9 P {100 * sure['precision']:.2f}, R {100 * sure['recall']:.2f}"
            )
    print(f"{scores['test']['words_per_second']:,} words a second on {metrics['machine']}")
    if source["kind"] == Kind.SAMPLE:
        print(f"Scores on the built-in sample are not scores on {source['corpus']}.")


def _percent(values: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{100 * values[name]:.2f}" for name in ("precision", "recall", "f1"))


def main(
    model: Annotated[Path, typer.Argument(help="An installed pipeline or a folder.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Score a pipeline on dev and test, strictly, and say on what."""
    evaluate(model, data, output, gpu=choose_gpu(gpu_id))
