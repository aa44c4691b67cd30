"""Score a pipeline in every way there is, and write a page for people to read."""

from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import numpy as np
import typer
from spacy.language import Language
from spacy.training import Example

from ..training.papers import read_papers
from ..calibration.outcomes import outcomes
from ..corpora.sources import Kind, load_source
from ..devices import choose_gpu
from ..errors import InputError
from ..files import read_json, read_toml, replacing, to_json
from ..loading import load_examples, trained_on, training_of
from .breakdown import seen_in
from .documents import pairs_of, read_documents
from .learning_curve import read_log
from .matching import score
from .records import SCHEMA, read_metrics
from .page import render
from .papers import compare
from .raw_text import raw_example
from .robustness import change_all, changes, texts_of
from .scoring import SPLITS, annotate, describe, load, report_scores, score_split
from .significance import difference
from .summary import describe_split
from .worst_errors import worst_errors

CASES, PAPERS = Path("configs/cases.toml"), Path("configs/papers.toml")
WORST = 50  # errors shown
SEED = 0


def report(
    model: Path,
    data: Path,
    output: Path | None = None,
    page: Path | None = None,
    *,
    against: Path | None = None,
    runs: list[Path] | None = None,
    gpu: int = -1,
) -> dict[str, Any]:
    """Score a pipeline and write all of it as JSON and as a page.

    model (Path): The trained pipeline.
    data (Path): The folder of the converted corpus, with its train split.
    output (Path | None): The JSON file to write, by default
        metrics/<recipe>/<corpus>.json. It has no text of the corpus.
    page (Path | None): The HTML file to write, by default report.html in the folder
        metrics/<recipe>/<corpus>.
    against (Path | None): The metrics of another run, to compare with.
    runs (list[Path] | None): Metrics of runs that differ by their seed alone.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): What was written as JSON.
    RAISES (InputError): If something is not there or not what it should be.
    """
    learned = _learned(model)
    other = read_metrics(against) if against else None
    cases, figures = _read_cases(CASES), read_papers(PAPERS)
    nlp = load(model, data, gpu=gpu)
    source = load_source(data / "source.json")
    training = training_of(nlp)
    folder = Path("metrics") / str(training["recipe"] or model.name)
    output = output or folder / f"{source.corpus}.json"
    page = page or folder / source.corpus / "report.html"
    if output.resolve() == page.resolve():
        raise InputError(f"{output}: is named for the figures and for the page. Name two files.")
    own = _identity(training, trained_on(nlp), asdict(source))
    others = _read_runs(runs or [], own, training["seed"])
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
        "cases": _cases(nlp, cases),
        # figures on the sample do not stand beside those on the corpus
        "papers": compare(source.corpus, splits, figures) if source.kind is not Kind.SAMPLE else [],
        "against": against and _against(splits["test"], other, against),
    }
    f1 = 100 * metrics["scores"]["test"]["f1"]
    metrics["seeds"] = _seeds([(training["seed"], f1), *others])
    html = render(metrics, worst_errors(documents["test"], WORST))
    with replacing(output) as figures_file, replacing(page) as page_file:
        figures_file.write_text(to_json(metrics), encoding="utf-8")
        page_file.write_text(html, encoding="utf-8")
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
    said = read_json(record)
    steps = said.get("steps_per_epoch") if isinstance(said, dict) else None
    if not isinstance(steps, int) or steps < 1:
        raise InputError(f"{record}: steps_per_epoch must be a whole number. Train again.")
    return read_log(log, steps)


def _read_cases(path: Path) -> list[dict[str, str]]:
    cases = read_toml(path).get("cases", [])
    for case in cases:
        if not all(isinstance(case.get(key), str) for key in ("about", "text")):
            raise InputError(f"{path}: each of [[cases]] needs the texts about and text.")
    return list(cases)


def _cases(nlp: Language, cases: list[dict[str, str]]) -> list[dict[str, Any]]:
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
        recipe = other["training"]["recipe"]
        name = other["pipeline"] + (f", recipe {recipe}" if recipe else "")
        return {"name": name, **found}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not the metrics of a run. Report on that run again.") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be compared with: {error}.") from error


def _read_runs(paths: list[Path], own: dict[str, Any], seed: int | None) -> list[tuple[int, float]]:
    """Seed and F1 of other runs, no two of which have the same seed."""
    runs = [_read_run(path, own) for path in paths]
    seeds = [seed, *(other for other, _ in runs)]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--run: two runs have the same seed: {', '.join(map(str, seeds))}.")
    return runs


def _read_run(path: Path, own: dict[str, Any]) -> tuple[int, float]:
    """Seed and F1, in points, of another run, if it differs from this one by its seed alone."""
    run = read_metrics(path)
    try:
        found = _identity(run["training"], run["trained_on"], run["source"])
        seed, f1 = int(run["training"]["seed"]), 100 * float(run["scores"]["test"]["f1"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not the metrics of a run. Report on that run again.") from error
    for name, value in own.items():
        if found[name] != value:
            raise InputError(f"{path}: expected the {name} {value}, found {found[name]}.")
    return seed, f1


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


def _identity(training: dict[str, Any], trained_on: str, source: dict[str, Any]) -> dict[str, Any]:
    """What runs share that differ by their seed alone."""
    return {
        **{name: training[name] for name in ("recipe", "encoder", "epochs")},
        "training corpus": trained_on,
        "test corpus": source["title"],
        "test files": source["files"],
    }


def _seeds(runs: list[tuple[int, float]]) -> dict[str, Any] | None:
    if len(runs) < 2:
        return None
    seeds, f1 = (list(column) for column in zip(*runs, strict=True))
    return {"runs": len(f1), "mean": mean(f1), "sd": stdev(f1), "seeds": seeds, "f1": f1}


def main(
    pipeline: Annotated[Path, typer.Argument(help="An installed pipeline or a folder.")],
    corpus: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[
        Path | None,
        typer.Option(help="JSON file to write, by default metrics/RECIPE/CORPUS.json."),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(help="HTML file to write, by default metrics/RECIPE/CORPUS/report.html."),
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Metrics of a run to compare with.")] = None,
    run: Annotated[
        list[Path] | None, typer.Option(help="Metrics of a run with another seed; repeatable.")
    ] = None,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Score a pipeline in every way there is, and write a page for people to read."""
    gpu = choose_gpu(gpu_id)
    report(pipeline, corpus, output, page, against=against, runs=run, gpu=gpu)
