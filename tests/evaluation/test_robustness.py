"""Changed texts keep their mentions."""

import random

from bert_ner.evaluation import robustness
from bert_ner.evaluation.matching import Mention
from tests.evaluation.helpers import GOLD, TEXT


def test_changed_texts_keep_their_mentions() -> None:
    texts = [(list(TEXT), GOLD), (["Lima", "won", "."], [Mention(0, 1, "LOC")])]
    dice = random.Random(1)
    for name, change in robustness.changes(texts).items():
        for text in texts:
            words, moved = change(text, dice)
            assert [m.label for m in moved] == [m.label for m in text[1]], name
            assert all(0 <= m.start < m.end <= len(words) for m in moved), name
    assert robustness.upper(texts[1], dice)[0] == ["LIMA", "WON", "."]
    assert robustness.lower(texts[1], dice)[0] == ["lima", "won", "."]
    two = [(["Lima"], [Mention(0, 1, "LOC")]), (["Oslo"], [Mention(0, 1, "LOC")])]
    assert all(robustness.swapped_names(two)(two[0], dice)[0] == ["Oslo"] for _ in range(20))
    assert robustness.without_punctuation(texts[1], dice)[0] == ["Lima", "won"]
    words, moved = robustness.without_punctuation(
        (["(", "U.S.", ")"], [Mention(1, 2, "LOC")]), dice
    )
    assert (words, moved) == (["U.S."], [Mention(0, 1, "LOC")])
    names = {" ".join(TEXT[m.start : m.end]) for m in GOLD} | {"Lima"}
    words, moved = robustness.swapped_names(texts)(texts[0], dice)
    assert {" ".join(words[m.start : m.end]) for m in moved} <= names
    assert len(words) - sum(m.end - m.start for m in moved) == len(TEXT) - 5
    typed = robustness.typos((["government"] * 500, []), random.Random(1))[0]
    wrong = [word for word in typed if word != "government"]
    assert 25 < len(wrong) < 80
    assert all(sorted(word) == sorted("government") and word[0] == "g" for word in wrong)
