"""Windows cover every token within their limits."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bert_ner.pipes.windows import (
    cut_windows,
    estimate_pieces,
    get_windows,
    make_windows,
)

VOCAB = Vocab()

words = st.lists(st.sampled_from(["a", ".", "1996-08-30", "Konstantinopel", "!" * 9, "x" * 40]))


def test_estimate() -> None:
    words = ("Lebanon", "Lebanese", "1996-08-30", "...", "\u6771\u4eac", "")
    assert [estimate_pieces(word) for word in words] == [1, 2, 6, 3, 2, 1]


@given(words, st.integers(1, 20), st.integers(1, 60))
def test_windows_cover_every_token_once_within_the_limits(
    document: list[str], max_pieces: int, max_chars: int
) -> None:
    windows = cut_windows(document, max_pieces=max_pieces, max_chars=max_chars)
    assert [i for start, end in windows for i in range(start, end)] == list(range(len(document)))
    for start, end in windows:
        inside = document[start:end]
        fits = (
            sum(map(estimate_pieces, inside)) <= max_pieces and sum(map(len, inside)) <= max_chars
        )
        assert fits or end - start == 1


@given(words, st.integers(3, 20), st.integers(3, 60), st.integers(1, 9))
def test_windows_with_context_stay_within_the_limits(
    document: list[str], max_pieces: int, max_chars: int, context: int
) -> None:
    context = min(context, (min(max_pieces, max_chars) - 1) // 2)
    doc = Doc(VOCAB, words=document)
    (windows,) = get_windows([doc], max_pieces=max_pieces, max_chars=max_chars, context=context)
    assert {token.i for window in windows for token in window} == set(range(len(document)))
    for window in windows:
        inside = [token.text for token in window]
        pieces, chars = sum(map(estimate_pieces, inside)), sum(map(len, inside))
        assert (pieces <= max_pieces and chars <= max_chars) or len(inside) == 1


def test_windows_end_where_a_sentence_ends() -> None:
    document = ["It", "rained", "all", "day", ".", "We", "stayed", "at", "home", "."]
    assert cut_windows(document, max_pieces=6, max_chars=500) == [(0, 5), (5, 10)]
    assert cut_windows(document, max_pieces=9, max_chars=500) == [(0, 9), (9, 10)]


def test_long_token_after_a_sentence_end_gets_a_window_of_its_own() -> None:
    document = [*["a"] * 4, ".", "b", "x" * 900, "c"]
    windows = cut_windows(document, max_pieces=999, max_chars=20)
    assert windows == [(0, 5), (5, 6), (6, 7), (7, 8)]


def test_no_window_of_any_text_is_truncated(encoder: Path) -> None:
    """With a vocabulary of characters, every character is a word piece."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(encoder)
    doc = Doc(VOCAB, words=["qzxvkjwy"] * 300)
    (spans,) = make_windows()([doc])
    lengths = [len(tokenizer(span.text)["input_ids"]) for span in spans]
    assert max(lengths) <= tokenizer.model_max_length
    assert max(lengths) > 450  # the case is really the worst


def test_spans_are_of_their_documents() -> None:
    docs = [Doc(VOCAB, words=["a"] * n) for n in (0, 1, 7)]
    spans = get_windows(docs, max_pieces=3, max_chars=500)
    assert [[len(span) for span in s] for s in spans] == [[], [1], [3, 3, 1]]
    assert all(span.doc is doc for doc, s in zip(docs, spans, strict=True) for span in s)


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_windows(max_pieces=0),
        lambda: make_windows(max_chars=-1),
        lambda: make_windows(context=64),
    ],
)
def test_limits_that_leave_no_window_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        make()


def test_spacy_finds_the_functions_by_entry_point() -> None:
    """`spacy train` needs no --code."""
    assert spacy.registry.get("batchers", "bert_ner.batch_by_pieces.v1")
    import spacy_transformers  # noqa: F401 - makes the registry of span getters

    assert spacy.registry.get("span_getters", "bert_ner.windows.v1")


def test_every_inner_window_has_context_on_both_sides() -> None:
    doc = Doc(VOCAB, words=["a"] * 18)
    (windows,) = get_windows([doc], max_pieces=10, max_chars=500, context=2)
    assert [(window.start, window.end) for window in windows] == [(0, 8), (4, 14), (10, 18)]
