"""Batches hold every example once, within their size."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from bert_ner.pipes.batching import batch_by_length, make_batch_by_pieces

VOCAB = Vocab()


def examples(lengths: list[int]) -> list[Example]:
    docs = [Doc(VOCAB, words=["a"] * length) for length in lengths]
    return [Example(doc, doc.copy()) for doc in docs]


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 80), st.integers(1, 10))
def test_batches_hold_every_example_once_within_the_size(
    lengths: list[int], size: int, buffer: int
) -> None:
    batches = list(make_batch_by_pieces(size, window=16, buffer=buffer)(examples(lengths)))
    assert sorted(len(eg) for batch in batches for eg in batch) == sorted(lengths)
    for batch in batches:
        rows = sum(-(-len(eg) // 16) for eg in batch)
        padded = rows * min(16, max(len(eg) for eg in batch))
        assert batch
        assert padded <= size or len(batch) == 1


def test_batches_are_of_similar_length_and_shuffled_by_the_seed() -> None:
    chooser = random.Random(1)
    egs = examples([chooser.randint(1, 30) for _ in range(200)])

    def batches(seed: int) -> list[list[int]]:
        random.seed(seed)
        return [[len(eg) for eg in b] for b in make_batch_by_pieces(64)(egs)]

    assert batches(1) == batches(1) != batches(2)
    assert sum(max(b) - min(b) for b in batches(1)) / len(batches(1)) < 2
    assert [max(b) for b in batches(1)] != sorted(max(b) for b in batches(1))


@pytest.mark.parametrize(
    "wrong", [{"size": -1}, {"size": 9, "window": 0}, {"size": 9, "buffer": 0}]
)
def test_sizes_that_hold_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        make_batch_by_pieces(**wrong)


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 12))
def test_documents_are_batched_by_tokens_in_order(lengths: list[int], size: int) -> None:
    docs = [Doc(VOCAB, words=["a"] * length) for length in lengths]
    batches = list(batch_by_length(iter(docs), size))
    assert [doc for batch in batches for doc in batch] == docs
    for batch in batches:
        assert len(batch) == 1 or sum(map(len, batch)) <= size
    for batch, following in pairwise(batches):
        assert sum(map(len, batch)) + len(following[0]) > size
