from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.vocab import Vocab

from bert_ner.corpora.docs import convert, make_doc
from bert_ner.corpora.formats import Document, Token
from bert_ner.corpora.tags import Scheme

DOCUMENT: Document = [
    [Token("Oslo", "B-LOC", "NNP", 1), Token("e-mail", "O", "_", 2)],
    [
        Token("Lima", "B-LOC", "NNP", 4),
        Token("Quito", "B-LOC", "NNP", 5),
        Token("10km", "O", "CD", 6),
    ],
]


def test_doc_has_gold_tokens_sentences_tags_and_entities() -> None:
    doc, repairs = make_doc(DOCUMENT, Scheme.IOB2, Vocab())
    assert [t.text for t in doc] == ["Oslo", "e-mail", "Lima", "Quito", "10km"]
    assert [t.tag_ for t in doc] == ["NNP", "", "NNP", "NNP", "CD"]
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [
        (0, 1, "LOC"),
        (2, 3, "LOC"),
        (3, 4, "LOC"),
    ]
    assert [s.start for s in doc.sents] == [0, 2]
    assert doc[1].ent_iob_ == "O"
    assert repairs == 0


def test_corpus_reader_keeps_the_tokens_and_the_whole_document(tmp_path: Path) -> None:
    """spaCy's tokenizer would split e-mail and 10km; a Doc with spaces would be split."""
    convert([DOCUMENT], Scheme.IOB2, Vocab()).docs.to_disk(tmp_path / "train.spacy")
    nlp = spacy.blank("en")
    (example,) = Corpus(tmp_path / "train.spacy")(nlp)
    assert [t.text for t in example.predicted] == [t.text for t in example.reference]
    assert len(example.reference.ents) == 3
    assert example.reference.has_unknown_spaces


def test_stats() -> None:
    stats = convert([DOCUMENT, DOCUMENT], Scheme.IOB2, Vocab()).stats()
    assert stats == {
        "documents": 2,
        "sentences": 4,
        "tokens": 10,
        "entities": {"LOC": 6, "all": 6},
        "repaired_tags": 0,
        "repeated_sentences": 2,
    }


def test_same_input_gives_the_same_bytes() -> None:
    first, second = (convert([DOCUMENT], Scheme.IOB2, Vocab()).docs for _ in range(2))
    assert isinstance(first, DocBin)
    assert first.to_bytes() == second.to_bytes()
