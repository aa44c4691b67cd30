"""Score a pipeline in every way there is, and write a page for people to read."""

import tomllib
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import numpy as np
import typer
from spacy.language import Language
from spacy.training import Example

from scripts import cli
from scripts.confidence import outcomes
from scripts.errors import InputError
from scripts.evaluate import SPLITS, annotate, describe, load, report_scores, score_split
from scripts.evaluation import papers
from scripts.evaluation.breakdown import seen_in
from scripts.evaluation.curves import read_log
from scripts.evaluation.documents import pairs_of, read_documents
from scripts.evaluation.errors import worst_errors
from scripts.evaluation.matching import score
from scripts.evaluation.metrics import SCHEMA, read_metrics
from scripts.evaluation.page import render
from scripts.evaluation.raw_text import raw_example
from scripts.evaluation.robustness import change_all, changes, texts_of
from scripts.evaluation.split import describe_split
from scripts.evaluation.uncertainty import difference
from scripts.files import read_json, replacing, write_json
from scripts.gpu import choose_gpu
from scripts.pipeline import load_examples, trained_on
from scripts.sources import Kind, load_source

WORST = 50  # errors shown
SEED = 0


def report(
    model: Path,
    data: Path,
    output: Path,
    page: Path,
    *,
    against: Path | None = None,
    runs: list[Path] | None = None,
    gpu: int = -1,
) -> dict[str, Any]:
    """Score a pipeline and write all of it as JSON and as a page.

    model (Path): The trained pipeline.
    data (Path): The folder of the converted corpus, with its train split.
    output (Path): The JSON file to write. It has no text of the corpus.
    page (Path): The HTML file to write.
    against (Path | None): The metrics of another run, to compare with.
    runs (list[Path] | None): Metrics of runs that differ by their seed alone.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): What was written as JSON.
    RAISES (InputError): If something is not there or not what it should be.
    """
    learned = _learned(model)
    other = read_metrics(against) if against else None
    nlp = load(model, data, gpu=gpu)
    source = load_source(data / "source.json")
    training = nlp.meta.get("training") or {"recipe": None, "encoder": None, "seed": None}
    own = _identity(training, trained_on(nlp), source.title)
    others = [_read_run(path, own, training["seed"]) for path in runs or []]
    _check_labels(nlp, data, load_examples(nlp, data / "test.spacy"))
    train = load_examples(nlp, data / "train.spacy")
    seen = seen_in((e.text, e.label_) for example in train for e in example.reference.ents)
    measured = {split: score_split(nlp, data / f"{split}.spacy") for split in SPLITS}
    documents = {split: read_documents(examples) for split, (examples, _) in measured.items()}
    splits = {
        split: {
            **describe_split(documents[split], outcomes(examples), seen),
            "loss": scores["loss"],
        }
        for split, (examples, scores) in measured.items()
    }
    test = [example.reference for example in measured["test"][0]]
    texts = texts_of(test)
    metrics = {
        "schema": SCHEMA,
        **describe(nlp, source, {split: s for split, (_, s) in measured.items()}, gpu=gpu),
        "splits": splits,
        "learned": learned,
        "raw_text": _rescore(nlp, [raw_example(nlp, doc) for doc in test], "as running text"),
        "robustness": {
            name: _rescore(nlp, change_all(texts, change, nlp.vocab, seed=SEED), name)
            for name, change in changes(texts).items()
        },
        "cases": _cases(nlp, Path("configs/cases.toml")),
        # figures on the sample do not stand beside those on the corpus
        "papers": papers.compare(source.corpus, splits, Path("configs/papers.toml"))
        if source.kind is not Kind.SAMPLE
        else [],
        "against": against and _against(splits["test"], other, against),
    }
    f1 = 100 * metrics["scores"]["test"]["f1"]
    metrics["seeds"] = _seeds((training["seed"], f1), others)
    html = render(metrics, worst_errors(documents["test"], WORST))
    write_json(output, metrics)
    with replacing(page) as partial:
        partial.write_text(html, encoding="utf-8")
    report_scores(metrics)
    print(page)
    return metrics


def _rescore(nlp: Language, examples: list[Example], what: str) -> dict[str, float]:
    annotate(nlp, examples, what)
    return score(pairs_of(read_documents(examples))).to_dict()


def _learned(model: Path) -> list[dict[str, Any]]:
    """The log of the pipeline's training, where it lies beside it."""
    log, record = (model.parent / name for name in ("log.jsonl", "train.json"))
    if not (log.exists() and record.exists()):
        return []
    return read_log(log, read_json(record)["steps_per_epoch"])


def _cases(nlp: Language, path: Path) -> list[dict[str, Any]]:
    cases = tomllib.loads(path.read_text(encoding="utf-8"))["cases"]
    docs = list(nlp.pipe(case["text"] for case in cases))
    return [
        {
            **case,
            "words": [token.text for token in doc],
            "found": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        }
        for case, doc in zip(cases, docs, strict=True)
    ]


def _against(test: dict[str, Any], other: Any, path: Path) -> dict[str, Any]:
    try:
        counts = [np.array(side["documents"]) for side in (test, other["splits"]["test"])]
        found = difference(*counts)
        return {"name": f"{other['pipeline']}, recipe {other['training']['recipe']}", **found}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be compared with: {error}.") from error


def _read_run(path: Path, own: tuple[Any, ...], seed: int) -> tuple[int, float]:
    """Seed and F1, in points, of another run, if it differs from this one by its seed alone."""
    run = read_metrics(path)
    try:
        training, f1 = run["training"], 100 * run["scores"]["test"]["f1"]
        found = _identity(training, run["trained_on"], run["source"]["title"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not the metrics of a run: {error} is missing.") from error
    if found != own or training["seed"] == seed:
        raise InputError(
            f"{path}: expected {', '.join(map(str, own))} and another seed than {seed}, found "
            f"{', '.join(map(str, found))} and seed {training['seed']}."
        )
    return training["seed"], f1


def _check_labels(nlp: Language, data: Path, examples: list[Example]) -> None:
    """Refuse a pipeline that cannot know the corpus, and name labels that it does not know."""
    finders = [n for n in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(n).assigns]
    if not finders:
        raise InputError("the pipeline has no component that finds entities, such as `ner`.")
    known = {label for name in finders for label in nlp.pipe_labels.get(name, [])}
    wanted = {ent.label_ for example in examples for ent in example.reference.ents}
    lists = f"{', '.join(sorted(wanted))}; the pipeline knows {', '.join(sorted(known))}"
    if wanted and not wanted & known:
        raise InputError(f"{data}: none of its labels is one of the pipeline's. It has {lists}.")
    if wanted - known:
        print(f"{data}: has labels that the pipeline cannot find. It has {lists}.")


def _identity(training: dict[str, Any], trained_on: str, title: str) -> tuple[Any, ...]:
    """What runs share that differ by their seed alone."""
    return training["recipe"], training["encoder"], trained_on, title


def _seeds(own: tuple[int, float], others: list[tuple[int, float]]) -> dict[str, Any] | None:
    if not others:
        return None
    runs = dict([own, *others])
    f1 = list(runs.values())
    return {"runs": len(f1), "mean": mean(f1), "sd": stdev(f1), "seeds": list(runs), "f1": f1}


def main(
    pipeline: Annotated[Path, typer.Argument(help="An installed pipeline or a folder.")],
    corpus: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
    page: Annotated[Path, typer.Option(help="HTML file to write.")],
    against: Annotated[Path | None, typer.Option(help="Metrics of a run to compare with.")] = None,
    run: Annotated[
        list[Path] | None, typer.Option(help="Metrics of a run with another seed; repeatable.")
    ] = None,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Score a pipeline in every way there is, and write a page for people to read."""
    gpu = choose_gpu(gpu_id)
    report(pipeline, corpus, output, page, against=against, runs=run, gpu=gpu)


if __name__ == "__main__":
    cli.run(main)
