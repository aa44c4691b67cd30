"""Documents with known mentions, and the files of a run."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import spacy
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from bert_ner.evaluation.documents import Document
from bert_ner.evaluation.evaluate import Evaluation
from bert_ner.evaluation.matching import Mention, match
from bert_ner.files import write_json
from tests.pipes.training import make_examples

NLP = spacy.blank("en")
WORDS = 12
LABELS = ("LOC", "ORG", "PER")
SENTENCES = ("Anna Berg of the EU saw Oslo .", "EU and Oslo agree with anna .")
TEXT = " ".join(SENTENCES).split(" ")
GOLD = [Mention(0, 2, "PER"), Mention(4, 5, "ORG"), Mention(6, 7, "LOC"), Mention(8, 9, "ORG")]
PREDICTED = [
    Mention(0, 2, "PER"),
    Mention(4, 5, "LOC"),
    Mention(6, 8, "LOC"),
    Mention(13, 14, "PER"),
]
SOURCE = {
    "corpus": "conll2003",
    "title": "a test",
    "kind": "sample",
    "where": "here",
    "licence": "none",
    "url": "",
    "files": {},
}
LOG = (
    '{"epoch": 1, "step": 9, "seconds": 1, "words": 2, "score": 0.9, "train_loss": {"ner": 0.3},'
    ' "dev": {"ents_f": 0.9, "ents_p": 0.8, "ents_r": 1.0, "ents_acc": 0.95, "ents_loss": 0.2}}\n'
)


class Run(NamedTuple):
    """Folders of a trained pipeline and of its corpus."""

    pipeline: Path
    corpus: Path


class Evaluated(NamedTuple):
    """An evaluation with a page, and its files."""

    result: Evaluation
    output: Path
    page: Path


@st.composite
def mentions(draw: st.DrawFn) -> list[Mention]:
    """Mentions of a document that do not overlap."""
    ends = sorted(draw(st.sets(st.integers(0, WORDS), max_size=8)))
    return [
        Mention(start, end, draw(st.sampled_from(LABELS)))
        for start, end in pairwise(ends)
        if draw(st.booleans())
    ]


def document(
    gold: list[Mention],
    predicted: list[Mention],
    confidence: dict[Mention, float] | None = None,
) -> Document:
    """Make a document with the words of `TEXT`."""
    sentences = ((0, 8), (8, len(TEXT)))
    return Document(tuple(TEXT), sentences, tuple(match(gold, predicted)), confidence or {})


def write_corpus(nlp: Language, folder: Path) -> Path:
    """Write a converted corpus whose test split has an error of the annotators."""
    folder.mkdir()
    for split in ("train", "dev", "test"):
        docs = [example.reference for example in make_examples(nlp, 2)]
        if split == "test":
            docs.append(Doc(nlp.vocab, words=["rain", "fell"], ents=["B-PER", "O"]))
        DocBin(attrs=["SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(
            folder / f"{split}.spacy"
        )
    write_json(folder / "source.json", SOURCE)
    return folder
