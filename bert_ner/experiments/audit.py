"""Audit: find the annotations of a split that are most likely wrong."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab

from ..corpora.docs import convert
from ..corpora.reader import read
from ..corpora.sources import PROVIDED, Kind, load_source
from ..corpora.spec import Corpus
from ..corpora.tags import detect_scheme
from ..errors import InputError
from ..evaluation.documents import Document, mentions_of, pairs_of, read_documents
from ..evaluation.label_errors import Suspect, changed_sentences, describe, judge, rank
from ..evaluation.matching import match, score
from ..evaluation.page import render_audit
from ..evaluation.records import AuditRecord, Judgement
from ..evaluation.scoring import annotate
from ..files import remove, replacing, sha256, write_json
from ..loading import (
    PipelineRecord,
    describe_pipeline,
    find_entity_pipe,
    keep_encodings,
    load_examples,
    load_pipeline,
)
from ..progress import track
from .cross_validation import find_folds

SPLITS = ("train", "dev", "test")
MAX_SHOWN = 200  # sentences on the page


@dataclass(frozen=True)
class Audit:
    """Ranking of the sentences of a split.

    documents (list[Document]): The annotated split.
    suspects (list[Suspect]): Its sentences, the most suspect first.
    pipeline (PipelineRecord): The pipeline that ranked them.
    """

    documents: list[Document]
    suspects: list[Suspect]
    pipeline: PipelineRecord


def audit(nlp: Language, split: Path) -> Audit:
    """Rank the sentences of a split by the loss of their gold tags.

    nlp (Language): A pipeline that was not trained on the split.
    split (Path): The .spacy file.
    RETURNS (Audit): The ranking.
    RAISES (InputError): If the pipeline gives no probabilities, or does not know a label.
    """
    documents, losses = _token_losses(nlp, load_examples(nlp, split), split)
    return Audit(documents, rank(documents, losses), describe_pipeline(nlp))


def audit_train(folds: Path, train: Path) -> Audit:
    """Rank the sentences of train, each by the pipeline that was not trained on it.

    Source of the method: Northcutt, Jiang and Chuang, "Confident Learning: Estimating
    Uncertainty in Dataset Labels" (JAIR 2021), who use the probabilities of
    cross-validation.

    folds (Path): Output folder of `bert_ner.experiments.cross_validation`.
    train (Path): The .spacy file of which the folds were made.
    RETURNS (Audit): The ranking.
    RAISES (InputError): If a fold is missing, or was trained on another file.
    """
    cross_validation = find_folds(folds)
    if cross_validation.settings["train"] != sha256(train):
        raise InputError(f"{folds}: was trained on another {train}. Train the folds again.")
    count = len(cross_validation.folds)
    by_number: dict[int, tuple[Document, list[float]]] = {}
    for fold in cross_validation.folds:
        nlp = load_pipeline(fold.pipeline)
        examples = load_examples(nlp, train)[fold.number :: count]
        documents, losses = _token_losses(nlp, examples, train)
        for i, result in enumerate(zip(documents, losses, strict=True)):
            by_number[fold.number + i * count] = result
    in_order = [by_number[number] for number in sorted(by_number)]
    all_documents = [document for document, _ in in_order]
    suspects = rank(all_documents, [losses for _, losses in in_order])
    return Audit(all_documents, suspects, describe_pipeline(nlp))


def _token_losses(
    nlp: Language, examples: list[Example], split: Path
) -> tuple[list[Document], list[list[float]]]:
    """Annotate examples and compute the loss of each token's gold tag, in nats."""
    pipe = find_entity_pipe(nlp)
    if pipe is None:
        raise InputError(
            "this pipeline gives no probabilities, which an audit needs. "
            "Train a pipeline with the recipe `config`."
        )
    labels = {ent.label_ for example in examples for ent in example.reference.ents}
    if unknown := labels - set(pipe.labels):
        raise InputError(
            f"{split}: has the label {', '.join(sorted(unknown))}, which the pipeline was not "
            f"trained on and cannot judge. Train on a corpus with this label, or remove it."
        )
    keep_encodings(nlp)
    annotate(nlp, examples, split.stem)
    batches = list(minibatch(examples, nlp.batch_size))
    losses = [pipe.token_losses(batch) for batch in track(batches, "auditing", total=len(batches))]
    return read_documents(examples), list(chain.from_iterable(losses))


def find_corrected(corpus: Corpus, assets: Path) -> Path | None:
    """Find the corrected annotation of a corpus's test split.

    corpus (Corpus): The corpus.
    assets (Path): Folder with a folder of native files per corpus.
    RETURNS (Path | None): The native file in the corpus's folder or under `NER_CORPORA`.
        None if it does not exist.
    """
    if not corpus.corrected:
        return None
    paths = [assets / corpus.name / corpus.corrected]
    if root := os.environ.get(PROVIDED):
        first = next(iter(corpus.provided.values()))
        paths.append(Path(root) / Path(first).with_name(corpus.corrected))
    return next((path for path in paths if path.exists()), None)


def compare(audited: Audit, corpus: Corpus, corrected: Path) -> Judgement:
    """Judge an audit by a corrected annotation of the same split.

    audited (Audit): The audit.
    corpus (Corpus): The corpus. The native file has its format.
    corrected (Path): The native file.
    RETURNS (Judgement): Number of changed sentences, precision and recall of the
        ranking, and strict F1 on the original and on the corrected split.
    RAISES (InputError): If the file has other words than the split.
    """
    before = audited.documents
    after = _read_corrected(before, corpus, corrected)
    changed = changed_sentences(before, after)
    return {
        "changed_sentences": len(changed),
        "ranking": judge(audited.suspects, changed),
        "f1": {"original": score(pairs_of(before)).f1, "corrected": score(pairs_of(after)).f1},
    }


def _read_corrected(
    documents: Sequence[Document], corpus: Corpus, corrected: Path
) -> list[Document]:
    """Read documents with corrected gold mentions and the same predicted mentions."""
    native, _ = read(corrected, corpus.format)
    scheme = detect_scheme([token.tag for token in s] for doc in native for s in doc)
    docs = list(convert(native, scheme, Vocab()).docs.get_docs(Vocab()))
    words = [tuple(token.text for token in doc) for doc in docs]
    if words != [document.words for document in documents]:
        raise InputError(
            f"{corrected}: expected the words of the split, document by document. "
            f"Use the corrected file of the same split."
        )
    return [
        Document(old.words, old.sentences, tuple(match(mentions_of(doc), old.predicted)))
        for old, doc in zip(documents, docs, strict=True)
    ]


def audit_corpus(
    corpus: Corpus,
    pipeline: Path,
    data: Path,
    *,
    split: str,
    output: Path,
    page: Path,
    corrected: Path | None = None,
    assets: Path = Path("assets"),
) -> Judgement | None:
    """Audit a split of a corpus, and write the ranking as JSON lines and as a page.

    corpus (Corpus): The corpus.
    pipeline (Path): A pipeline that was not trained on the split. For train, the output
        folder of `bert_ner.experiments.cross_validation`.
    data (Path): Folder of the converted corpus.
    split (str): "train", "dev" or "test".
    output (Path): Output file for the ranking: see `write_audit`.
    page (Path): Output file for the page.
    corrected (Path | None): Native file with a corrected annotation of the split. By
        default, the corpus's own for its test split, if it exists.
    assets (Path): Folder with a folder of native files per corpus.
    RETURNS (Judgement | None): The judgement, None without a corrected annotation.
    RAISES (InputError): If the pipeline or the split cannot be audited.
    """
    if split not in SPLITS:
        raise InputError(f"--split {split}: expected train, dev or test.")
    file = data / f"{split}.spacy"
    is_train = split == "train"
    audited = audit_train(pipeline, file) if is_train else audit(load_pipeline(pipeline), file)
    if corrected is None and split == "test" and not _is_sample(data):
        corrected = find_corrected(corpus, assets)
    judgement = compare(audited, corpus, corrected) if corrected else None
    write_audit(audited, judgement, f"{corpus.name}, {split}", output, page)
    return judgement


def write_audit(
    audited: Audit, judgement: Judgement | None, title: str, output: Path, page: Path
) -> None:
    """Write an audit.

    audited (Audit): The audit.
    judgement (Judgement | None): Its judgement, written next to the output as .judged.json.
        The file of an earlier audit is removed.
    title (str): Title of the page.
    output (Path): Output file for the ranking, as JSON lines without text of the corpus.
    page (Path): Output file for the page, with the text of the most suspect sentences.
    """
    html = render_audit(title, audited.documents, audited.suspects, MAX_SHOWN)
    with replacing(output) as lines_file, replacing(page) as page_file:
        lines_file.write_text("".join(_lines(audited)), encoding="utf-8")
        page_file.write_text(html, encoding="utf-8")
    judgement_path = output.with_suffix(".judged.json")
    remove(judgement_path)
    if judgement:
        record: AuditRecord = {**audited.pipeline, **judgement}
        write_json(judgement_path, record)


def _lines(audited: Audit) -> Iterator[str]:
    for suspect in audited.suspects:
        yield json.dumps(describe(suspect, audited.documents[suspect.document])) + "\n"


def _is_sample(data: Path) -> bool:
    return load_source(data / "source.json").kind is Kind.SAMPLE
