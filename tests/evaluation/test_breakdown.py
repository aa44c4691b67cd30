"""Scores of groups of mentions."""

from bert_ner.evaluation import breakdown
from bert_ner.evaluation.documents import Document
from bert_ner.evaluation.matching import Mention, match
from tests.evaluation.helpers import GOLD, PREDICTED, document


def test_groups_share_out_every_mention() -> None:
    documents = [document(GOLD, PREDICTED)]
    seen = breakdown.seen_in([("anna berg", "PER"), ("EU", "ORG"), ("eu", "LOC"), ("Oslo", "ORG")])
    groups = {
        "length": breakdown.by_length(documents),
        "sentence": breakdown.by_sentence(documents),
        "seen": breakdown.by_seen(documents, seen),
        "case": breakdown.by_case(documents),
    }
    for scores in groups.values():
        assert sum(score.gold for score in scores.values()) == 4
        assert sum(score.predicted for score in scores.values()) == 4
        assert sum(score.correct for score in scores.values()) == 1
    assert groups["length"]["2 words"].correct == 1
    ten = Document(
        ("x",) * 21,
        ((0, 10), (10, 21)),
        tuple(match([Mention(0, 1, "A"), Mention(20, 21, "A")], [])),
    )
    sizes = {name: score.gold for name, score in breakdown.by_sentence([ten]).items()}
    assert sizes == {"1 to 10 words": 1, "11 to 20 words": 1}
    assert groups["seen"]["seen with this label only"].correct == 1
    assert groups["seen"]["seen with this label and another"].gold == 2  # EU as ORG
    assert groups["seen"]["seen with another label only"].gold == 1  # Oslo as LOC
    assert groups["case"]["ALL CAPS"].gold == 2
    assert groups["case"]["lower case"].predicted == 1
