"""Find the annotations of a split that are most likely wrong."""

import json
import os
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from wasabi import table

from ..corpora.docs import convert
from ..corpora.reader import read
from ..corpora.registry import Name, get_corpus
from ..corpora.sources import PROVIDED, Kind, load_source
from ..corpora.spec import Corpus
from ..corpora.tags import detect_scheme
from ..devices import choose_gpu, use_device
from ..errors import InputError
from ..evaluation.documents import Document, mentions_of, pairs_of, read_documents
from ..evaluation.label_errors import Suspect, changed_sentences, describe, judge, rank
from ..evaluation.matching import match, score
from ..evaluation.page import render_audit
from ..evaluation.scoring import SPLITS, annotate
from ..files import remove, replacing, sha256, write_json
from ..loading import describe_pipeline, keep_encodings, load_examples, load_pipeline
from ..progress import track
from .folds import find_folds

SHOWN = 200  # sentences on the page


@dataclass(frozen=True)
class Audit:
    """A split, and its sentences with the most suspect first."""

    documents: list[Document]
    suspects: list[Suspect]
    made_by: dict[str, Any]  # what the pipeline says of itself


def audit(nlp: Language, split: Path) -> Audit:
    """Rank the sentences of a split by how much a pipeline doubts their annotation.

    nlp (Language): A pipeline that was not trained on the split.
    split (Path): The .spacy file.
    RETURNS (Audit): The split and its suspects.
    RAISES (InputError): If no component of the pipeline can doubt.
    """
    documents, doubts = _doubt(nlp, load_examples(nlp, split), split)
    return Audit(documents, rank(documents, doubts), describe_pipeline(nlp))


def audit_train(folds: Path, train: Path) -> Audit:
    """Rank the sentences of train, each by the pipeline that has not seen it.

    Source of the way to do it: Northcutt, Jiang and Chuang, "Confident Learning:
    Estimating Uncertainty in Dataset Labels" (JAIR 2021), who take the
    probabilities of cross-validation.

    folds (Path): The folder that `bert_ner.experiments.cross_validation` wrote.
    train (Path): The .spacy file that it was written from.
    RETURNS (Audit): The split and its suspects.
    RAISES (InputError): If a fold is missing or was trained on something else.
    """
    pipelines, settings = find_folds(folds)
    found: dict[int, tuple[Document, list[float]]] = {}
    if settings.get("train") != sha256(train):
        raise InputError(f"{folds}: was trained on another {train}. Train the folds again.")
    for k, path in enumerate(pipelines):
        nlp = load_pipeline(path)
        part = load_examples(nlp, train)[k :: len(pipelines)]
        numbers = range(k, k + len(part) * len(pipelines), len(pipelines))
        found |= zip(numbers, zip(*_doubt(nlp, part, train), strict=True), strict=True)
    documents, doubts = zip(*(found[number] for number in sorted(found)), strict=True)
    return Audit(list(documents), rank(documents, doubts), describe_pipeline(nlp))


def _doubt(
    nlp: Language, examples: list[Example], split: Path
) -> tuple[list[Document], list[list[float]]]:
    pipes = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "doubt")]
    if not pipes:
        raise InputError(
            "this pipeline gives no probabilities, without which it cannot doubt. "
            "Train one with the recipe `config`."
        )
    labels = {ent.label_ for example in examples for ent in example.reference.ents}
    if unknown := labels - set(pipes[0].labels):
        raise InputError(
            f"{split}: has the label {', '.join(sorted(unknown))}, which the pipeline was not "
            f"trained on and cannot judge. Train on a corpus that has it, or take it out."
        )
    keep_encodings(nlp)
    annotate(nlp, examples, split.stem)
    batches = list(minibatch(examples, nlp.batch_size))
    doubts = [pipes[0].doubt(batch) for batch in track(batches, "doubting", total=len(batches))]
    return read_documents(examples), list(chain.from_iterable(doubts))


def find_corrected(corpus: Corpus, assets: Path) -> Path | None:
    """The corrected annotation of a corpus's test split, if it is there.

    corpus (Corpus): The corpus.
    assets (Path): The folder with one folder of native files for each corpus.
    RETURNS (Path | None): The native file beside the others, or under `NER_CORPORA`.
    """
    if not corpus.corrected:
        return None
    places = [assets / corpus.name / corpus.corrected]
    if root := os.environ.get(PROVIDED):
        first = next(iter(corpus.provided.values()))
        places.append(Path(root) / Path(first).with_name(corpus.corrected))
    return next((path for path in places if path.exists()), None)


def compare(found: Audit, corpus: Name, corrected: Path) -> dict[str, Any]:
    """Judge an audit by a corrected annotation of the same split.

    found (Audit): The audit.
    corpus (Name): The corpus, whose format the file has.
    corrected (Path): The native file.
    RETURNS (dict[str, Any]): How many sentences were changed, precision and recall of
        the ranking, and strict F1 on the split as it was and as corrected.
    RAISES (InputError): If it does not have the same words.
    """
    native, _ = read(corrected, get_corpus(corpus).format)
    scheme = detect_scheme([token.tag for token in s] for doc in native for s in doc)
    vocab = Vocab()
    docs = list(convert(native, scheme, vocab).docs.get_docs(vocab))
    after = [
        Document(old.words, old.sentences, tuple(match(mentions_of(doc), old.predicted)))
        for old, doc in zip(found.documents, docs, strict=False)
    ]
    words = [tuple(token.text for token in doc) for doc in docs]
    if words != [document.words for document in found.documents]:
        raise InputError(
            f"{corrected}: does not have the words of the split, document by document."
        )
    changed = changed_sentences(found.documents, after)
    return {
        "changed_sentences": len(changed),
        "ranking": judge(found.suspects, changed),
        "f1": {
            "original": score(pairs_of(found.documents)).f1,
            "corrected": score(pairs_of(after)).f1,
        },
    }


def _is_sample(data: Path) -> bool:
    return load_source(data / "source.json").kind is Kind.SAMPLE


def _report(judged: dict[str, Any]) -> None:
    rows = [
        (row["sentences"], f"{100 * row['precision']:.1f}", f"{100 * row['recall']:.1f}")
        for row in judged["ranking"]
    ]
    print(f"{judged['changed_sentences']} sentences were changed")
    print(table(rows, header=("first", "P", "R"), divider=True, aligns=("r", "r", "r")))
    original, corrected = (100 * judged["f1"][key] for key in ("original", "corrected"))
    print(f"F1 {original:.2f} as it was, {corrected:.2f} as corrected")


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    pipeline: Annotated[
        Path,
        typer.Argument(
            help="A pipeline that was not trained on the split; for train, the folder of folds."
        ),
    ],
    output: Annotated[Path, typer.Option(help="JSON lines to write, most suspect first.")],
    page: Annotated[Path, typer.Option(help="HTML file to write.")],
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    corrected: Annotated[
        Path | None,
        typer.Option(
            help="A native file of the split, corrected, to judge by; by default the one of the "
            "corpus's test split, if it is there."
        ),
    ] = None,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Rank the sentences of a split by how much a pipeline doubts their annotation."""
    if split not in (*SPLITS, "train"):
        raise InputError(f"--split {split}: expected train, dev or test.")
    use_device(choose_gpu(gpu_id))
    path = data / corpus / f"{split}.spacy"
    found = (
        audit_train(pipeline, path) if split == "train" else audit(load_pipeline(pipeline), path)
    )
    if corrected is None and split == "test" and not _is_sample(data / corpus):
        corrected = find_corrected(get_corpus(corpus), Path("assets"))
    judged = compare(found, corpus, corrected) if corrected else None
    lines = (json.dumps(describe(s, found.documents[s.document])) for s in found.suspects)
    html = render_audit(f"{corpus}, {split}", found.documents, found.suspects, SHOWN)
    with replacing(output) as lines_file, replacing(page) as page_file:
        lines_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        page_file.write_text(html, encoding="utf-8")
    judgement = output.with_suffix(".judged.json")
    remove(judgement)  # of an earlier run
    if judged:
        write_json(judgement, {**found.made_by, **judged})
        _report(judged)
    print(page)
