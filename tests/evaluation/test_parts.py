"""The parts of a report that need no pipeline."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from sklearn.metrics import f1_score
from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.errors import InputError
from bert_ner.evaluation import breakdown, reliability, robustness, significance
from bert_ner.evaluation.documents import MISALIGNED, Document, read_documents
from bert_ner.evaluation.learning_curve import read_log
from bert_ner.evaluation.matching import Mention, match
from bert_ner.evaluation.papers import compare, ours
from bert_ner.evaluation.plots import plot_learning
from bert_ner.evaluation.raw_text import raw_example, spaces_after
from bert_ner.evaluation.split_report import describe_split
from bert_ner.evaluation.tokens import iob2, token_scores
from bert_ner.evaluation.worst_errors import worst_errors
from bert_ner.training.papers import read_papers
from tests.calibration.helpers import make_outcomes as make
from tests.conftest import ROOT
from tests.evaluation.test_matching import mentions

NLP = spacy.blank("en")
SENTENCES = ("Anna Berg of the EU saw Oslo .", "EU and Oslo agree with anna .")
TEXT = " ".join(SENTENCES).split(" ")
GOLD = [Mention(0, 2, "PER"), Mention(4, 5, "ORG"), Mention(6, 7, "LOC"), Mention(8, 9, "ORG")]
FOUND = [Mention(0, 2, "PER"), Mention(4, 5, "LOC"), Mention(6, 8, "LOC"), Mention(13, 14, "PER")]


def document(
    gold: list[Mention], predicted: list[Mention], sure: dict[Mention, float] | None = None
) -> Document:
    sentences = ((0, 8), (8, len(TEXT)))
    return Document(tuple(TEXT), sentences, tuple(match(gold, predicted)), sure or {})


def counts(*rows: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(rows, dtype=np.int64)


def interval(rows: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, list[float]]:
    found = significance.interval(rows)
    assert found is not None
    return found


def test_an_interval_holds_the_score_and_narrows_with_more_documents() -> None:
    some = counts(*[(8, 10, 10), (5, 10, 10), (9, 10, 11)] * 5)
    many = np.tile(some, (20, 1))
    wide, narrow = (interval(rows)["f1"] for rows in (some, many))
    f1 = float(significance.f1_of(some.sum(axis=0)))
    assert wide[0] < narrow[0] < f1 < narrow[1] < wide[1]
    # of so many documents the interval is that of a normal distribution
    right = counts(*[(1, 1, 1), (0, 1, 1)] * 200)
    low, high = interval(right)["recall"]
    assert high - low == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.1)
    assert significance.interval(some) == significance.interval(some)
    # of equal documents, every sample is the same; of one, nothing can be said
    assert interval(counts(*[(8, 10, 10)] * 30))["recall"] == [0.8, 0.8]
    assert significance.interval(counts((8, 10, 10))) is None
    # a label that few documents have says nothing; nor does a sample without it say 0
    assert significance.interval(counts(*[(1, 1, 1)] * 4, *[(0, 0, 0)] * 30)) is None
    assert interval(counts(*[(1, 1, 1)] * 5, *[(0, 0, 0)] * 300))["f1"] == [1.0, 1.0]


def test_runs_differ_only_beyond_chance() -> None:
    base = counts(*[(5, 10, 10), (8, 10, 10)] * 20)
    better = base + counts((2, 0, 0))
    found = significance.difference(better, base)
    assert found["difference"] == pytest.approx(0.2)
    assert found["p"] < 0.001
    assert significance.difference(base, base)["p"] == 1.0
    swapped = base.copy()
    swapped[:2, 0] = swapped[1::-1, 0]
    assert significance.difference(swapped, base)["p"] > 0.5
    with pytest.raises(ValueError, match="not scored on the same documents"):
        significance.difference(base, base[:5])


def test_two_documents_have_the_p_of_all_four_shuffles() -> None:
    """Both swapped or none: the observed gap; one swapped: none. So p is a half."""
    a, b = counts((10, 10, 10), (10, 10, 10)), counts((0, 10, 10), (0, 10, 10))
    assert significance.difference(a, b, shuffles=4000)["p"] == pytest.approx(0.5, abs=0.05)


@given(mentions(), mentions())
def test_token_scores_are_those_of_seqeval_and_scikit_learn(
    gold: list[Mention], predicted: list[Mention]
) -> None:
    tags = [iob2(len(TEXT), side) for side in (gold, predicted)]
    ours = token_scores([document(gold, predicted)])
    assert ours["accuracy"] == pytest.approx(accuracy_score([tags[0]], [tags[1]]))
    for average in ("macro", "weighted"):
        theirs = f1_score(*tags, average=average, zero_division=0)
        assert ours[f"{average}_f1"] == pytest.approx(theirs)


def test_groups_share_out_every_mention() -> None:
    documents = [document(GOLD, FOUND)]
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
    sizes = {name: found.gold for name, found in breakdown.by_sentence([ten]).items()}
    assert sizes == {"1 to 10 words": 1, "11 to 20 words": 1}
    assert groups["seen"]["seen with this label only"].correct == 1
    assert groups["seen"]["seen with this label and another"].gold == 2  # EU as ORG
    assert groups["seen"]["seen with another label only"].gold == 1  # Oslo as LOC
    assert groups["case"]["ALL CAPS"].gold == 2
    assert groups["case"]["lower case"].predicted == 1


def test_changed_texts_keep_their_mentions() -> None:
    texts = [(list(TEXT), GOLD), (["Lima", "won", "."], [Mention(0, 1, "LOC")])]
    dice = random.Random(1)
    for name, change in robustness.changes(texts).items():
        for text in texts:
            words, kept = change(text, dice)
            assert [m.label for m in kept] == [m.label for m in text[1]], name
            assert all(0 <= m.start < m.end <= len(words) for m in kept), name
    assert robustness.upper(texts[1], dice)[0] == ["LIMA", "WON", "."]
    assert robustness.lower(texts[1], dice)[0] == ["lima", "won", "."]
    two = [(["Lima"], [Mention(0, 1, "LOC")]), (["Oslo"], [Mention(0, 1, "LOC")])]
    assert all(robustness.swapped_names(two)(two[0], dice)[0] == ["Oslo"] for _ in range(20))
    assert robustness.without_punctuation(texts[1], dice)[0] == ["Lima", "won"]
    words, kept = robustness.without_punctuation((["(", "U.S.", ")"], [Mention(1, 2, "LOC")]), dice)
    assert (words, kept) == (["U.S."], [Mention(0, 1, "LOC")])
    names = {" ".join(TEXT[m.start : m.end]) for m in GOLD} | {"Lima"}
    words, kept = robustness.swapped_names(texts)(texts[0], dice)
    assert {" ".join(words[m.start : m.end]) for m in kept} <= names
    assert len(words) - sum(m.end - m.start for m in kept) == len(TEXT) - 5
    typed = robustness.typos((["government"] * 500, []), random.Random(1))[0]
    wrong = [word for word in typed if word != "government"]
    assert 25 < len(wrong) < 80
    assert all(sorted(word) == sorted("government") and word[0] == "g" for word in wrong)


def test_running_text_is_typeset_and_scored_by_characters() -> None:
    words = ["He", "said", ":", '"', "We", "won", ",", "3-1", ".", '"', "Al-Rashid", "'s"]
    words += ["$", "5"]
    text = "".join(w + " " * s for w, s in zip(words, spaces_after(words), strict=True))
    assert text == 'He said: "We won, 3-1." Al-Rashid\'s $5'
    gold = Doc(NLP.vocab, words=words)
    gold.ents = [Span(gold, 10, 11, "PER")]
    example = raw_example(NLP, gold)
    predicted = example.predicted
    assert predicted.text == text
    start = text.index("Al-")
    whole = predicted.char_span(start, start + 9, "PER")
    part = predicted.char_span(start, start + 2, "PER")
    rest = predicted.char_span(start + 3, start + 9, "PER")
    assert None not in (whole, part, rest)
    for spans, labels in (
        ([whole], ["PER"]),
        ([part, rest], [f"PER ({MISALIGNED} at {start})", f"PER ({MISALIGNED} at {start + 3})"]),
    ):
        predicted.ents = spans
        assert [m.label for m in read_documents([example])[0].predicted] == labels


def test_documents_are_read_with_their_sentences_and_confidence() -> None:
    gold = Doc(NLP.vocab, words=TEXT, sent_starts=[i in (0, 8) for i in range(len(TEXT))])
    gold.ents = [Span(gold, *mention) for mention in GOLD]
    predicted = Doc(NLP.vocab, words=TEXT)
    predicted.ents = [Span(predicted, *mention) for mention in FOUND]
    read = read_documents([Example(predicted, gold)])[0]
    assert (read.gold, read.predicted) == (GOLD, FOUND)
    assert read.sentences == ((0, 8), (8, 15))
    assert read.confidence == {}


def test_the_surest_errors_come_first_in_their_sentences() -> None:
    sure = {FOUND[0]: 1.0, FOUND[1]: 0.6, FOUND[2]: 0.7, FOUND[3]: 0.9}
    found = worst_errors([document(GOLD, FOUND, sure)], 10)
    assert [(e["kind"], e["confidence"]) for e in found] == [
        ("invented", 0.9),
        ("wrong boundary", 0.7),
        ("wrong label", 0.6),
        ("missed", None),
    ]
    assert found[0]["words"] == TEXT[8:]
    assert found[0]["predicted"] == [(5, 6, "PER")]
    assert found[2]["gold"] == [(0, 2, "PER"), (4, 5, "ORG"), (6, 7, "LOC")]
    assert len(worst_errors([document(GOLD, FOUND, sure)], 2)) == 2


def test_reliability_and_risk() -> None:
    found = make([(0.9, True)] * 6 + [(0.6, True), (0.5, False), (0.3, False)])
    bins = reliability.reliability(found, bins=3)
    assert [b["mentions"] for b in bins] == [3, 3, 3]
    assert bins[0]["precision"] == pytest.approx(1 / 3)
    points = reliability.risk_coverage(found)
    assert points[0]["risk"] == 0.0
    assert points[-1] == {"coverage": 1.0, "risk": pytest.approx(2 / 9), "confidence": 0.3}
    assert reliability.area_under_risk(found) == pytest.approx((1 / 8 + 2 / 9) / 9)


def test_a_log_becomes_the_papers_table(tmp_path: Path) -> None:
    line = (
        '{"epoch": 0, "step": 50, "seconds": 1, "words": 2, "score": 0.9,'
        ' "train_loss": {"transformer": 0.1, "ner": 0.3}, "dev": {"ents_f": 0.9, "ents_p": 0.8'
    )
    log = tmp_path / "log.jsonl"
    log.write_text(f'{line}, "ents_loss": 0.2}}}}\n{line}}}}}\n')
    with_loss, without = read_log(log, steps_per_epoch=100)
    assert (with_loss["epoch"], with_loss["f1"], with_loss["recall"]) == (0.5, 0.9, None)
    assert (with_loss["training_loss"], with_loss["dev_loss"]) == (0.3, 0.2)
    assert (without["training_loss"], without["dev_loss"]) == (None, None)
    assert "no loss of tokens" not in plot_learning([with_loss])
    assert "no loss of tokens" in plot_learning([without])
    broken = ['{"losses": {}}', '{"step": 1, "train_loss": {}, "dev": null}', "[1]", "\udcff"]
    broken.append('{"step": 1, "train_loss": {}, "dev": {"ents_f": "good"}}')
    for text in broken:
        log.write_bytes(text.encode("utf-8", "surrogateescape") + b"\n")
        with pytest.raises(InputError, match=r"log\.jsonl:1: not a line of bert_ner\.logger\.v1"):
            read_log(log, 100)


@given(st.sampled_from(["conll2003", "mit_movie", "gmb", "own"]))
def test_every_figure_of_the_papers_has_ours_beside_it(corpus: str) -> None:
    split = {**describe_split([document(GOLD, FOUND)], None, {}), "loss": None}
    papers = read_papers(ROOT / "configs" / "papers.toml")
    rows = compare(corpus, {"dev": split, "test": split}, papers)
    assert bool(rows) == (corpus != "own")
    for row in rows:
        has_none = row["metric"] in ("loss of a token",) or row["metric"].startswith("F1 of g")
        assert (row["ours"] is None) == (has_none or row["metric"] in NOT_THERE), row


def test_each_figure_is_that_of_its_name() -> None:
    split = {
        "loss": 0.1,
        "tokens": {"accuracy": 0.2, "f1": 0.25, "weighted_f1": 0.3, "macro_f1": 0.35},
        "labels": {"org": {"f1": 0.4}},
        "views": {"strict": {"precision": 0.5, "recall": 0.6, "f1": 0.7}},
    }
    for metric, value in (
        ("loss", 0.1),
        ("accuracy", 20),
        ("weighted_token_f1", 30),
        ("f1_org", 40),
        ("precision", 50),
        ("recall", 60),
        ("f1", 70),
    ):
        assert ours(metric, split) == pytest.approx(value), metric


NOT_THERE = {"F1 of org", "F1 of per", "F1 of tim"}  # labels of GMB
