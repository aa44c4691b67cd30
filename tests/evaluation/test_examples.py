"""Marked-up sentences, and the record of their entities."""

from pathlib import Path

import pytest
import spacy

from bert_ner.errors import InputError
from bert_ner.evaluation.examples import annotate, parse, record_examples
from bert_ner.files import read_json
from tests.conftest import ROOT


def test_parse_gives_character_offsets() -> None:
    text, entities = parse('"[Al-Rashid|PER]" left [Rio|LOC].')
    assert text == '"Al-Rashid" left Rio.'
    assert [(text[e.start : e.end], e.label) for e in entities] == [
        ("Al-Rashid", "PER"),
        ("Rio", "LOC"),
    ]
    assert parse("Nothing here.") == ("Nothing here.", [])


def test_correct_wrong_and_missed_entities_are_told_apart() -> None:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "Oslo"}, {"label": "LOC", "pattern": "Ann"}])
    (result,) = annotate(nlp, ["[Ann|PER] left [Oslo|LOC]."])
    assert result["text"] == "Ann left Oslo."
    assert result["found"] == [
        ("Ann", "LOC", "wrong", None),
        ("Oslo", "LOC", "right", None),
    ]
    assert result["missed"] == [("Ann", "PER")]


def test_the_record_names_the_pipeline(ruler: Path, tmp_path: Path) -> None:
    sentences, output = tmp_path / "sentences.txt", tmp_path / "examples.json"
    sentences.write_text("[Oslo|LOC] shines.\n\n[Lima|LOC] too.\n")
    record_examples(str(ruler), sentences, output)
    record = read_json(output)
    assert (record["pipeline"], record["trained_on"]) == ("en_pipeline-0.0.0", "unknown")
    assert [example["missed"] for example in record["examples"]] == [[], [["Lima", "LOC"]]]
    with pytest.raises(InputError, match=r"nothing\.txt: not found"):
        record_examples(str(ruler), tmp_path / "nothing.txt", output)


def test_the_project_has_marked_up_sentences() -> None:
    lines = (ROOT / "docs" / "examples.txt").read_text(encoding="utf-8").splitlines()
    assert {label for line in lines for *_, label in parse(line)[1]} == {
        "LOC",
        "MISC",
        "ORG",
        "PER",
    }
