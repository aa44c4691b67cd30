"""The case of tokens, alignment with word pieces, groups of windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bert_ner.pipes.windows import make_windows
from bert_ner.pipes.wordpieces import CASES, case_of, choose_windows, group_by_length
from tests.pipes.training import (
    Build,
)


@pytest.mark.parametrize(
    ("words", "case"),
    [
        ("talks naïve 東京 x-ray", "lower"),
        ("Oslo I Anna-maria", "title"),
        ("EU U.S. B2B", "upper"),
        ("McEwan iPhone Al-Rashid", "mixed"),
        ("1996 3-1 10%", "digits"),
        (". -- & …", "punctuation"),
    ],
)
def test_case(words: str, case: str) -> None:
    assert {CASES[case_of(word)] for word in words.split()} == {case}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 6))
def test_each_token_is_read_farthest_from_an_edge(cores: list[int], margin: int) -> None:
    ends = np.cumsum(cores)
    length = int(ends[-1])
    windows = [
        (max(0, int(end) - core - margin), min(length, int(end) + margin))
        for core, end in zip(cores, ends, strict=True)
    ]
    chosen = choose_windows(windows, length)
    for token in range(length):

        def distance(window: tuple[int, int], token: int = token) -> int:
            start, end = window
            if not start <= token < end:
                return -1
            left = token - start if start else length
            return min(left, end - 1 - token if end < length else length)

        assert distance(windows[chosen[token]]) == max(map(distance, windows))


def test_windows_may_come_in_any_order() -> None:
    assert choose_windows([(3, 6), (0, 3)], 6).tolist() == [1, 1, 1, 0, 0, 0]
    assert choose_windows([(0, 2), (2, 6)], 6).tolist() == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("context", [0, 10])
def test_each_token_is_aligned_with_its_own_word_pieces(build: Build, context: int) -> None:
    nlp = build()
    model = nlp.get_pipe("transformer").model
    model.attrs["get_spans"] = make_windows(max_pieces=24, context=context)
    words = ["Anna", "Berg", "\n", "lives", "x" * 700, "in", "Oslo", "."] * 9
    docs = [Doc(nlp.vocab, words=words), Doc(nlp.vocab), Doc(nlp.vocab, words=["Lima"])]
    batch = model.predict(docs)
    for doc, data in zip(docs, batch.doc_data, strict=True):
        pieces = [piece for row in data.wordpieces.strings for piece in row]
        assert len(data.align.lengths) == len(doc)
        for token in doc:
            own = [pieces[i] for i in data.align[token.i].dataXd.ravel()]
            if token.is_space or len(token) > 600:
                assert own in (["[CLS]"], ["[UNK]"])
            else:
                assert "".join(own).replace("##", "") == token.lower_
    flat = [piece for row in batch.wordpieces.strings for piece in row]
    assert flat[int(batch.align[len(words)].dataXd.ravel()[0])] == "l"


@given(
    st.lists(st.integers(1, 300), max_size=60), st.integers(1, 600), st.sampled_from([0, 30, 9999])
)
def test_groups_of_windows_have_each_once_and_little_padding(
    lengths: list[int], size: int, call: int
) -> None:
    groups = group_by_length(lengths, size, call)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[i] for i in group) <= size
    longest = [max(lengths[i] for i in group) for group in groups]
    assert longest == sorted(longest)
    if call == 0:
        assert all(len({lengths[i] for i in group}) == 1 for group in groups)


def test_a_window_that_brings_much_padding_starts_a_group() -> None:
    assert group_by_length([20, 5, 6, 20, 5], 999, 30) == [[1, 4, 2], [0, 3]]


def test_the_first_of_equal_windows_is_chosen() -> None:
    assert choose_windows([(0, 5), (2, 7)], 7).tolist() == [0, 0, 0, 0, 1, 1, 1]
