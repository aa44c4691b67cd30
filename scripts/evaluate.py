"""Score a trained pipeline on the dev and test splits of a converted corpus."""

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example
from wasabi import table

from scripts import cli
from scripts.confidence import expected_calibration_error, outcomes, summary
from scripts.errors import InputError
from scripts.files import write_json
from scripts.gpu import choose_gpu
from scripts.machine import describe_machine
from scripts.pipeline import load_examples, load_pipeline, trained_on
from scripts.pipes.calibration import Calibration
from scripts.sources import Kind, load_source


def score(nlp: Language, path: Path) -> dict[str, Any]:
    """Strict entity scores on gold tokens: a mention counts if span and label are right.

    nlp (Language): The pipeline.
    path (Path): The split, a .spacy file.
    RETURNS (dict[str, Any]): precision, recall and f1 from 0 to 1 over all
        mentions and by label, words_per_second, and confidence: None, or what
        `scripts.confidence.summary` gives.
    """
    examples = load_examples(nlp, path)
    words = sum(len(example) for example in examples)
    started = time.perf_counter()
    annotate(nlp, examples)
    seconds = time.perf_counter() - started
    scores = Scorer(nlp).score(examples)
    found = outcomes(examples)
    return {
        **_prf(scores, "ents_"),
        "labels": {
            label: _prf(values) for label, values in sorted((scores["ents_per_type"] or {}).items())
        },
        "words_per_second": round(words / seconds),
        "confidence": summary(found) if found else None,
    }


def annotate(nlp: Language, examples: list[Example]) -> None:
    """Put a pipeline's annotations into examples."""
    docs = nlp.pipe([example.predicted for example in examples])
    for example, doc in zip(examples, docs, strict=True):
        example.predicted = doc


def uncalibrated_error(nlp: Language, path: Path) -> float | None:
    """The expected calibration error of a pipeline's own probabilities.

    nlp (Language): The pipeline.
    path (Path): The split, a .spacy file.
    RETURNS (float | None): From 0 to 1; None if it gives none, or if a threshold
        drops mentions, which would then not be the same.
    """
    pipes = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "calibration")]
    if any(pipe.min_confidence > 0 for pipe in pipes):
        return None
    chosen = [pipe.calibration for pipe in pipes]
    examples = load_examples(nlp, path)
    try:
        for pipe in pipes:
            pipe.calibration = Calibration()
        annotate(nlp, examples)
    finally:
        for pipe, calibration in zip(pipes, chosen, strict=True):
            pipe.calibration = calibration
    found = outcomes(examples) if pipes else None
    return expected_calibration_error(found) if found else None


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
    for path in (
        model / "meta.json",
        *(data / f for f in ("dev.spacy", "test.spacy", "source.json")),
    ):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    if gpu >= 0:
        spacy.require_gpu(gpu)
    nlp = load_pipeline(model)
    source = load_source(data / "source.json")
    metrics: dict[str, Any] = {
        "pipeline": f"{nlp.meta['lang']}_{nlp.meta['name']}",
        "trained_on": trained_on(nlp),
        "source": asdict(source),
        "training": nlp.meta.get("training"),
        "scores": {split: score(nlp, data / f"{split}.spacy") for split in ("dev", "test")},
        "machine": describe_machine(gpu),
        "date": date.today().isoformat(),
    }
    if metrics["scores"]["test"]["confidence"]:
        before = uncalibrated_error(nlp, data / "test.spacy")
        metrics["scores"]["test"]["confidence"]["ece_uncalibrated"] = before
    write_json(output, metrics)
    _report(metrics)
    return metrics


def _report(metrics: dict[str, Any]) -> None:
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
    model: Annotated[Path, typer.Argument(help="The trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Score a pipeline on dev and test, strictly, and say on what."""
    evaluate(model, data, output, gpu=choose_gpu(gpu_id))


if __name__ == "__main__":
    cli.run(main)
