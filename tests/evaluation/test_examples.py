import spacy

from bert_ner.evaluation.examples import annotate, parse


def test_parse_gives_character_offsets() -> None:
    text, mentions = parse('"[Al-Rashid|PER]" left [Rio|LOC].')
    assert text == '"Al-Rashid" left Rio.'
    assert [(text[m.start : m.end], m.label) for m in mentions] == [
        ("Al-Rashid", "PER"),
        ("Rio", "LOC"),
    ]
    assert parse("Nothing here.") == ("Nothing here.", [])


def test_right_wrong_and_missed_are_told_apart() -> None:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "Oslo"}, {"label": "LOC", "pattern": "Ann"}])
    (result,) = annotate(nlp, ["[Ann|PER] left [Oslo|LOC]."])
    assert result["text"] == "Ann left Oslo."
    assert result["found"] == [
        ["Ann", "LOC", "wrong", None],
        ["Oslo", "LOC", "right", None],
    ]
    assert result["missed"] == [["Ann", "PER"]]
