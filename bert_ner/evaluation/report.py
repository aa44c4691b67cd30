"""Measurements of a report: one function per section."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..calibration.outcomes import outcomes
from ..corpora.sources import Kind, load_source
from ..errors import InputError
from ..files import read_toml
from ..loading import load_examples, trained_on, training_of
from ..training.papers import Paper, read_papers
from .breakdown import seen_in
from .comparison import (
    SeedRun,
    compare_runs,
    conditions,
    f1_of,
    read_seed_runs,
    summarize_seeds,
)
from .documents import pairs_of, read_documents
from .learning_curve import read_learning
from .matching import score
from .papers import compare
from .raw_text import raw_example
from .records import (
    SCHEMA,
    AnnotatedCase,
    Case,
    CountedPrf,
    LearningStep,
    Metrics,
    PaperFigure,
    Scores,
    SplitReport,
    read_metrics,
)
from .robustness import change_all, changes, texts_of
from .scoring import ScoredSplit, annotate, source_record
from .split_report import describe_split

CASES = Path("configs/cases.toml")
SEED = 0  # of the changed texts


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a report needs besides the scored splits.

    seen (dict[str, set[str]]): Labels of the training mentions by lower-cased text.
    learned (list[LearningStep]): The learning curve. Empty if it is unknown.
    cases (list[Case]): Sentences to annotate.
    papers (dict[str, Paper]): Papers to compare with, by name.
    against (Path | None): The metrics file of a run to compare with.
    other (Metrics | None): Its contents.
    runs (list[SeedRun]): Runs that differ only in their seed.
    """

    seen: dict[str, set[str]]
    learned: list[LearningStep]
    cases: list[Case]
    papers: dict[str, Paper]
    against: Path | None
    other: Metrics | None
    runs: list[SeedRun]


def read_inputs(
    nlp: Language, pipeline: Path, corpus: Path, against: Path | None, runs: Sequence[Path]
) -> ReportInputs:
    """Read all inputs of a report, so that errors show before the evaluation starts.

    nlp (Language): The pipeline.
    pipeline (Path): Its folder, next to the log of its training.
    corpus (Path): The folder of the converted corpus.
    against (Path | None): The metrics file of a run to compare with.
    runs (Sequence[Path]): The metrics files of runs that differ only in their seed.
    RETURNS (ReportInputs): The inputs.
    RAISES (InputError): If a file is not valid or a run does not match.
    """
    source = source_record(load_source(corpus / "source.json"))
    own = conditions(training_of(nlp), trained_on(nlp), source)
    return ReportInputs(
        seen=read_seen(nlp, corpus / "train.spacy"),
        learned=read_learning(pipeline),
        cases=read_cases(CASES),
        papers=read_papers(),
        against=against,
        other=read_metrics(against) if against else None,
        runs=read_seed_runs(runs, own, training_of(nlp)["seed"]),
    )


def read_cases(path: Path) -> list[Case]:
    """Read the sentences of configs/cases.toml.

    path (Path): The file.
    RETURNS (list[Case]): The sentences.
    RAISES (InputError): If the file is not valid.
    """
    cases = read_toml(path).get("cases", [])
    for case in cases:
        if not all(isinstance(case.get(key), str) for key in ("about", "text")):
            raise InputError(f"{path}: each of [[cases]] needs the texts about and text.")
    return list(cases)


def build_report(
    nlp: Language, base: Scores, scored: dict[str, ScoredSplit], inputs: ReportInputs
) -> Metrics:
    """Measure everything that a report shows.

    nlp (Language): The pipeline.
    base (Scores): Its scores.
    scored (dict[str, ScoredSplit]): Dev and test, annotated.
    inputs (ReportInputs): The other inputs.
    RETURNS (Metrics): The contents of the metrics file.
    RAISES (InputError): If the run to compare with was scored on other documents.
    """
    splits = {name: report_split(split, inputs.seen) for name, split in scored.items()}
    gold = [example.reference for example in scored["test"].examples]
    against = None
    if inputs.against and inputs.other:
        against = compare_runs(splits["test"], inputs.other, inputs.against)
    return {
        "schema": SCHEMA,
        **base,
        "splits": splits,
        "learned": inputs.learned,
        "raw_text": score_raw_text(nlp, gold),
        "robustness": score_changes(nlp, gold),
        "cases": annotate_cases(nlp, inputs.cases),
        "papers": compare_papers(base, splits, inputs.papers),
        "against": against,
        "seeds": summarize_seeds([SeedRun(base["training"]["seed"], f1_of(base)), *inputs.runs]),
    }


def read_seen(nlp: Language, train: Path) -> dict[str, set[str]]:
    """Read the labels of each text in the training mentions.

    nlp (Language): The pipeline.
    train (Path): The .spacy file of the train split.
    RETURNS (dict[str, set[str]]): Labels by lower-cased text.
    """
    ents = (ent for example in load_examples(nlp, train) for ent in example.reference.ents)
    return seen_in((ent.text, ent.label_) for ent in ents)


def report_split(split: ScoredSplit, seen: dict[str, set[str]]) -> SplitReport:
    """Measure a scored split."""
    confidence = outcomes(split.examples)
    return describe_split(split.documents, confidence, seen, loss=split.scores["loss"])


def score_raw_text(nlp: Language, gold: list[Doc]) -> CountedPrf:
    """Score documents as running text, tokenized by the pipeline itself."""
    return _rescore(nlp, [raw_example(nlp, doc) for doc in gold], "as running text")


def score_changes(nlp: Language, gold: list[Doc]) -> dict[str, CountedPrf]:
    """Score changed documents. The result is by name of the change."""
    texts = texts_of(gold)
    return {
        name: _rescore(nlp, change_all(texts, change, nlp.vocab, seed=SEED), name)
        for name, change in changes(texts).items()
    }


def _rescore(nlp: Language, examples: list[Example], what: str) -> CountedPrf:
    annotate(nlp, examples, what)
    return score(pairs_of(read_documents(examples))).to_dict()


def annotate_cases(nlp: Language, cases: list[Case]) -> list[AnnotatedCase]:
    """Annotate the sentences of configs/cases.toml."""
    docs = nlp.pipe(case["text"] for case in cases)
    return [
        {
            **case,
            "words": [token.text for token in doc],
            "found": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        }
        for case, doc in zip(cases, docs, strict=True)
    ]


def compare_papers(
    base: Scores, splits: dict[str, SplitReport], papers: dict[str, Paper]
) -> list[PaperFigure]:
    """Compare with the papers' figures. Scores on the sample do not compare with them."""
    source = base["source"]
    return [] if source["kind"] == Kind.SAMPLE else compare(source["corpus"], splits, papers)
