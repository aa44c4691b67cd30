"""Matching and scoring, against the field's own programs."""

import random
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics import classification_report, f1_score
from seqeval.metrics.sequence_labeling import get_entities
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.corpora.docs import convert
from bert_ner.corpora.reader import read
from bert_ner.corpora.registry import CORPORA
from bert_ner.corpora.tags import Scheme, detect_scheme, tags_to_spans
from bert_ner.evaluation.matching import (
    VIEWS,
    Mention,
    Outcome,
    Pair,
    confusion,
    count_errors,
    macro,
    match,
    score,
    score_labels,
)
from bert_ner.evaluation.tokens import iob2 as to_iob2
from tests.evaluation.helpers import LABELS, NLP, WORDS, mentions

documents = st.lists(st.tuples(mentions(), mentions()), min_size=1, max_size=4)


@given(documents)
def test_strict_scores_are_those_of_seqeval(
    given_documents: list[tuple[list[Mention], list[Mention]]],
) -> None:
    pairs = [pair for gold, predicted in given_documents for pair in match(gold, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels without mentions, which score 0
        report = classification_report(
            [to_iob2(WORDS, gold) for gold, _ in given_documents],
            [to_iob2(WORDS, predicted) for _, predicted in given_documents],
            output_dict=True,
            zero_division=0,
        )
    ours = {**score_labels(pairs), "micro avg": score(pairs)}
    for name, scored in ours.items():
        theirs = report.get(name, dict.fromkeys(("precision", "recall", "f1-score", "support"), 0))
        assert scored.precision == pytest.approx(theirs["precision"], abs=1e-9)
        assert scored.recall == pytest.approx(theirs["recall"], abs=1e-9)
        assert scored.f1 == pytest.approx(theirs["f1-score"], abs=1e-9)
        assert scored.gold == theirs["support"]
    for name, value in macro(score_labels(pairs).values()).items():
        theirs = report["macro avg"]["f1-score" if name == "f1" else name] if len(report) > 3 else 0
        assert value == pytest.approx(theirs, abs=1e-9)


tags = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BI" for label in LABELS)])
sequences = st.lists(tags, min_size=WORDS, max_size=WORDS)


@given(sequences, sequences)
def test_strict_scores_of_any_tags_are_those_of_conlleval(
    gold: list[str], predicted: list[str]
) -> None:
    """Also where a mention begins with I, which conlleval, and seqeval as it is, allow."""
    sides = [
        [Mention(span.start, span.end, span.label) for span in tags_to_spans(side, Scheme.IOB2)[0]]
        for side in (gold, predicted)
    ]
    ours = score(match(*sides))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is nothing to find
        assert ours.f1 == pytest.approx(f1_score([gold], [predicted], zero_division=0), abs=1e-9)
        assert ours.gold == sum(len(spans) for spans in [set(get_entities(gold))])


@given(documents)
def test_strict_scores_are_those_of_spacy(
    given_documents: list[tuple[list[Mention], list[Mention]]],
) -> None:
    examples = []
    for sides in given_documents:
        docs = [Doc(NLP.vocab, words=["word"] * WORDS) for _ in sides]
        for doc, side in zip(docs, sides, strict=True):
            doc.set_ents([Span(doc, *mention) for mention in side], default="outside")
        examples.append(Example(docs[1], docs[0]))
    theirs = Scorer.score_spans(
        examples, "ents", has_annotation=lambda doc: True, getter=lambda doc, attr: doc.ents
    )
    ours = score([pair for gold, predicted in given_documents for pair in match(gold, predicted)])
    if ours.gold or ours.predicted:
        assert ours.precision == pytest.approx(theirs["ents_p"], abs=1e-9)
        assert ours.recall == pytest.approx(theirs["ents_r"], abs=1e-9)
        assert ours.f1 == pytest.approx(theirs["ents_f"], abs=1e-9)


@given(documents)
def test_every_mention_is_paired_once_and_every_error_counted_once(
    given_documents: list[tuple[list[Mention], list[Mention]]],
) -> None:
    for gold, predicted in given_documents:
        pairs = match(gold, predicted)
        assert sorted(pair.gold for pair in pairs if pair.gold) == sorted(gold)
        assert sorted(pair.predicted for pair in pairs if pair.predicted) == sorted(predicted)
        wrong = [pair for pair in pairs if pair.outcome is not Outcome.CORRECT]
        assert sum(count_errors(pairs).values()) == len(wrong)
        assert sum(confusion(pairs).values()) == len(pairs)
        assert len(pairs) - len(wrong) == len(set(gold) & set(predicted))


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ([(0, 2, "PER"), (4, 5, "LOC")], [(0, 2, "PER"), (4, 5, "ORG")]),
        ([(0, 3, "PER"), (6, 8, "ORG")], [(0, 2, "PER"), (6, 7, "LOC"), (10, 11, "LOC")]),
        ([(0, 3, "PER"), (5, 7, "LOC")], []),
        ([(1, 4, "ORG")], [(0, 5, "ORG")]),
    ],
)
def test_the_views_of_muc_are_those_of_nervaluate_if_the_pairs_are_clear(
    gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]]
) -> None:
    def rows(mentions: list[tuple[int, int, str]]) -> list[dict[str, int | str]]:
        return [{"start": start, "end": end - 1, "label": label} for start, end, label in mentions]

    theirs = Evaluator([rows(gold)], [rows(predicted)], tags=list(LABELS), loader="dict").evaluate()
    pairs = match([Mention(*m) for m in gold], [Mention(*m) for m in predicted])
    names = {
        "strict": "strict",
        "exact boundary": "exact",
        "partial": "partial",
        "type": "ent_type",
    }
    assert names.keys() == VIEWS.keys()
    for view, name in names.items():
        expected = theirs["overall"][name]
        assert score(pairs, view).precision == pytest.approx(expected.precision), view
        assert score(pairs, view).recall == pytest.approx(expected.recall), view


def test_of_two_candidates_the_nearer_one_is_taken() -> None:
    gold = [Mention(0, 4, "ORG")]
    wrong, right = Mention(0, 2, "PER"), Mention(2, 3, "ORG")
    assert match(gold, [wrong, right]) == [Pair(None, wrong), Pair(gold[0], right)]
    assert match(gold, [wrong])[0].outcome is Outcome.BOTH
    assert confusion(match(gold, [wrong, right])) == {("ORG", "ORG"): 1, (None, "PER"): 1}
    # of two with the right label, the one that shares more tokens
    short, long = Mention(0, 1, "ORG"), Mention(2, 4, "ORG")
    assert match(gold, [short, long]) == [Pair(None, short), Pair(gold[0], long)]
    assert match([], []) == []
    assert score([]).f1 == 0.0


def spoil(gold: list[Mention], size: int, dice: random.Random) -> list[Mention]:
    """Mentions with every kind of error, as a pipeline would make them."""
    spoilt: list[Mention] = []
    for start, end, label in gold:
        kind = dice.random()
        first = max([mention.end for mention in spoilt], default=0)
        if kind < 0.05:
            continue
        if kind < 0.15:
            label = dice.choice(LABELS)
        if kind < 0.25:
            start, end = max(first, start - dice.randrange(2)), end - (end - start > 1)
        if start >= first:
            spoilt.append(Mention(start, end, label))
    if size and not spoilt:
        spoilt.append(Mention(0, 1, "LOC"))
    return spoilt


def test_strict_scores_are_those_of_seqeval_and_spacy_on_the_real_test_split(
    real_corpora: Path,
) -> None:
    native, _ = read(real_corpora / "conll2003" / "test.txt", CORPORA["conll2003"].format)
    scheme = detect_scheme([token.tag for token in s] for doc in native for s in doc)
    dice = random.Random(1)
    pairs, tags, examples = [], [], []
    for doc in convert(native, scheme, NLP.vocab).docs.get_docs(NLP.vocab):
        gold = [Mention(ent.start, ent.end, ent.label_) for ent in doc.ents]
        predicted = spoil(gold, len(doc), dice)
        pairs += match(gold, predicted)
        tags.append([to_iob2(len(doc), side) for side in (gold, predicted)])
        annotated = Doc(doc.vocab, words=[token.text for token in doc])
        annotated.set_ents([Span(annotated, *mention) for mention in predicted], default="outside")
        examples.append(Example(annotated, doc))
    report = classification_report(*map(list, zip(*tags, strict=True)), output_dict=True)
    ours = {**score_labels(pairs), "micro avg": score(pairs)}
    assert 0.7 < ours["micro avg"].f1 < 0.95
    for name, scored in ours.items():
        assert scored.f1 == pytest.approx(report[name]["f1-score"], abs=1e-9)
        assert scored.precision == pytest.approx(report[name]["precision"], abs=1e-9)
        assert scored.gold == report[name]["support"]
    theirs = Scorer().score_spans(examples, "ents", getter=lambda doc, attr: doc.ents)
    assert ours["micro avg"].f1 == pytest.approx(theirs["ents_f"], abs=1e-9)
    for label in theirs["ents_per_type"]:
        assert ours[label].f1 == pytest.approx(theirs["ents_per_type"][label]["f"], abs=1e-9)


def test_adjacent_mentions_are_not_paired() -> None:
    left, right = Mention(0, 2, "ORG"), Mention(2, 4, "ORG")
    assert match([left], [right]) == [Pair(left, None), Pair(None, right)]
    assert match([right], [left]) == [Pair(None, left), Pair(right, None)]
