"""Entities, their confidence and the span group."""

import pytest
from spacy.language import Language
from spacy.tokens import DocBin, Span

from tests.pipes.training import TEXTS


def test_confidence_is_at_the_entity_and_in_the_span_group(trained: Language) -> None:
    doc = trained(TEXTS[0])
    assert [(e.text, e.label_) for e in doc.ents] == [("Anna Berg", "PER"), ("Oslo", "LOC")]
    assert all(0 < ent._.confidence <= 1 for ent in doc.ents)
    group = doc.spans["ner"]
    assert [(s.start, s.end, s.label_) for s in group] == [
        (e.start, e.end, e.label_) for e in doc.ents
    ]
    assert group.attrs["scores"] == pytest.approx([e._.confidence for e in doc.ents])
    kept = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (again,) = DocBin().from_bytes(kept).get_docs(trained.vocab)
    assert again.spans["ner"].attrs["scores"] == pytest.approx(group.attrs["scores"])


def test_existing_entities_are_kept(trained: Language) -> None:
    doc = trained.make_doc(TEXTS[0])
    doc.set_ents([Span(doc, 1, 2, label="RULE")])
    doc = trained(doc)
    assert [(e.text, e.label_) for e in doc.ents] == [("Berg", "RULE"), ("Oslo", "LOC")]
    assert doc.ents[0]._.confidence is None
    assert [s.text for s in doc.spans["ner"]] == ["Oslo"]
