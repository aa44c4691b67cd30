"""Evaluation of a pipeline on a corpus: measures, and writes the metrics file and the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language

from ..corpora.sources import load_source
from ..errors import InputError
from ..files import replacing, to_json, write_json
from ..loading import load_examples, training_of
from .console import format_scores
from .page import render
from .records import Metrics, Scores
from .report import build_report, read_inputs
from .scoring import SPLITS, ScoredSplit, describe, load, score_split
from .worst_errors import worst_errors

WORST = 50  # errors on the page


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation.

    scores (Scores): The contents of the metrics file.
    output (Path): The metrics file.
    page (Path | None): The page, if it was written.
    notes (list[str]): Remarks for the user.
    """

    scores: Scores
    output: Path
    page: Path | None
    notes: list[str]

    def text(self) -> str:
        """Format the result for the terminal."""
        return "\n".join([*self.notes, format_scores(self.scores), str(self.page or self.output)])


def evaluate(
    pipeline: Path,
    corpus: Path,
    output: Path | None = None,
    page: Path | None = None,
    *,
    against: Path | None = None,
    runs: Sequence[Path] = (),
    gpu: int = -1,
) -> Evaluation:
    """Score a pipeline on dev and test, and write the scores. With a page, measure much more.

    pipeline (Path): The folder of the pipeline, or the name of an installed one.
    corpus (Path): The folder of the converted corpus.
    output (Path | None): The JSON file to write, by default
        metrics/<recipe>/<corpus>.json. It has no text of the corpus.
    page (Path | None): The HTML file to write, None for the scores alone.
    against (Path | None): Metrics of another run to compare with, on the page.
    runs (Sequence[Path]): Metrics of runs that differ only in their seed, for the page.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (Evaluation): The result.
    RAISES (InputError): If an input does not exist, is not valid or does not match.
    """
    nlp = load(pipeline, corpus, gpu=gpu)
    source = load_source(corpus / "source.json")
    output = output or _default_output(nlp, pipeline, source.corpus)
    _check_outputs(output, page, against, runs)
    inputs = read_inputs(nlp, pipeline, corpus, against, runs) if page else None
    notes = check_labels(nlp, corpus)
    splits = {split: score_split(nlp, corpus / f"{split}.spacy") for split in SPLITS}
    scores = describe(nlp, source, splits, gpu=gpu)
    if page is None or inputs is None:
        write_json(output, scores)
        return Evaluation(scores, output, None, notes)
    metrics = build_report(nlp, scores, splits, inputs)
    _write(metrics, splits["test"], output, page)
    return Evaluation(metrics, output, page, notes)


def _default_output(nlp: Language, pipeline: Path, corpus: str) -> Path:
    recipe = training_of(nlp)["recipe"] or pipeline.name
    return Path("metrics") / recipe / f"{corpus}.json"


def _check_outputs(
    output: Path, page: Path | None, against: Path | None, runs: Sequence[Path]
) -> None:
    if page is None and (against or runs):
        raise InputError("--against and --run compare runs on the page. Add --page report.html.")
    if page and output.resolve() == page.resolve():
        raise InputError(f"{output}: --output and --page name the same file. Name two files.")


def check_labels(nlp: Language, corpus: Path) -> list[str]:
    """Check that a pipeline knows the labels of a corpus.

    nlp (Language): The pipeline.
    corpus (Path): The folder of the converted corpus.
    RETURNS (list[str]): A remark if the pipeline knows only some of the labels.
    RAISES (InputError): If the pipeline finds no entities or knows none of the labels.
    """
    finders = [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]
    if not finders:
        raise InputError("the pipeline has no component that finds entities, such as `ner`.")
    known = {label for name in finders for label in nlp.pipe_labels.get(name, [])}
    examples = load_examples(nlp, corpus / "test.spacy")
    labels = {ent.label_ for example in examples for ent in example.reference.ents}
    lists = f"{', '.join(sorted(labels))}; the pipeline knows {', '.join(sorted(known))}"
    if labels and not labels & known:
        raise InputError(f"{corpus}: has no label of the pipeline. It has {lists}.")
    if labels - known:
        return [f"{corpus}: has labels that the pipeline cannot find. It has {lists}."]
    return []


def _write(metrics: Metrics, test: ScoredSplit, output: Path, page: Path) -> None:
    """Write both files or none of them."""
    html = render(metrics, worst_errors(test.documents, WORST))
    with replacing(output) as metrics_file, replacing(page) as page_file:
        metrics_file.write_text(to_json(metrics), encoding="utf-8")
        page_file.write_text(html, encoding="utf-8")
