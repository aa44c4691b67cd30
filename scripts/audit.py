"""Find the annotations of a split that are most likely wrong."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from wasabi import table

from scripts import cli
from scripts.corpora.docs import convert
from scripts.corpora.reader import read
from scripts.corpora.registry import Name, get_corpus
from scripts.corpora.tags import detect_scheme
from scripts.errors import InputError
from scripts.evaluate import SPLITS, annotate
from scripts.evaluation.audit import Suspect, changed_sentences, describe, judge, rank
from scripts.evaluation.documents import Document, mentions_of, pairs_of, read_documents
from scripts.evaluation.matching import match, score
from scripts.evaluation.page import render_audit
from scripts.files import replacing, write_json
from scripts.gpu import choose_gpu
from scripts.pipeline import load_examples, load_pipeline

SHOWN = 200  # sentences on the page


@dataclass(frozen=True)
class Audit:
    """A split, and its sentences with the most suspect first."""

    documents: list[Document]
    suspects: list[Suspect]


def audit(nlp: Language, split: Path) -> Audit:
    """Rank the sentences of a split by how much a pipeline doubts their annotation.

    nlp (Language): A pipeline that was not trained on the split.
    split (Path): The .spacy file.
    RETURNS (Audit): The split and its suspects.
    RAISES (InputError): If no component of the pipeline can doubt.
    """
    pipes = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "doubt")]
    if not pipes:
        raise InputError(
            "this pipeline gives no probabilities, without which it cannot doubt. "
            "Train one with the recipe `config`."
        )
    examples = load_examples(nlp, split)
    labels = {ent.label_ for example in examples for ent in example.reference.ents}
    if unknown := labels - set(pipes[0].labels):
        raise InputError(
            f"{split}: has the label {', '.join(sorted(unknown))}, which the pipeline was not "
            f"trained on and cannot judge. Train on a corpus that has it, or take it out."
        )
    annotate(nlp, examples)
    documents = read_documents(examples)
    return Audit(documents, rank(documents, pipes[0].doubt(examples)))


def compare(found: Audit, corpus: Name, corrected: Path, nlp: Language) -> dict[str, Any]:
    """Judge an audit by a corrected annotation of the same split.

    found (Audit): The audit.
    corpus (Name): The corpus, whose format the file has.
    corrected (Path): The native file.
    nlp (Language): The pipeline.
    RETURNS (dict[str, Any]): How many sentences were changed, precision and recall of
        the ranking, and strict F1 on the split as it was and as corrected.
    RAISES (InputError): If it does not have the same words.
    """
    native, _ = read(corrected, get_corpus(corpus).format)
    scheme = detect_scheme([token.tag for token in s] for doc in native for s in doc)
    docs = list(convert(native, scheme, nlp.vocab).docs.get_docs(nlp.vocab))
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
    pipeline: Annotated[Path, typer.Argument(help="A pipeline that was not trained on the split.")],
    output: Annotated[Path, typer.Option(help="JSON lines to write, most suspect first.")],
    page: Annotated[Path, typer.Option(help="HTML file to write.")],
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="dev or test.")] = "test",
    corrected: Annotated[
        Path | None, typer.Option(help="A native file of the split, corrected, to judge by.")
    ] = None,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Rank the sentences of a split by how much a pipeline doubts their annotation."""
    if split not in SPLITS:
        raise InputError(f"--split {split}: expected dev or test; train has taught the pipeline.")
    gpu = choose_gpu(gpu_id)
    if gpu >= 0:
        spacy.require_gpu(gpu)
    nlp = load_pipeline(pipeline)
    found = audit(nlp, data / corpus / f"{split}.spacy")
    judged = compare(found, corpus, corrected, nlp) if corrected else None
    with replacing(output) as partial:
        lines = (json.dumps(describe(s, found.documents[s.document])) for s in found.suspects)
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with replacing(page) as partial:
        partial.write_text(
            render_audit(f"{corpus}, {split}", found.documents, found.suspects, SHOWN),
            encoding="utf-8",
        )
    if judged:
        write_json(output.with_suffix(".judged.json"), judged)
        _report(judged)
    print(page)


if __name__ == "__main__":
    cli.run(main)
