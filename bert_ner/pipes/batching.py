"""Batches of examples for training, and of documents for prediction."""

import random
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from itertools import islice
from typing import TypeVar

from spacy.training import Example

from .windows import estimate_pieces

Item = TypeVar("Item", bound=Sized)
Batcher = Callable[[Iterable[Example]], Iterator[list[Example]]]


def batch_by_length(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Group documents into batches of a number of tokens, or texts by their characters.

    items (Iterable[Doc] | Iterable[str]): The documents or texts.
    size (int): Maximum sum of their lengths in a batch. A longer item is a batch alone.
    YIELDS (list[Doc] | list[str]): The batches, in order.
    """
    batch: list[Item] = []
    length = 0
    for item in items:
        length += len(item)
        if batch and length > size:
            yield batch
            batch, length = [], len(item)
        batch.append(item)
    if batch:
        yield batch


def batch_by_pieces(
    examples: Iterable[Example], *, size: int, window: int, buffer: int
) -> Iterator[list[Example]]:
    """Group examples of similar length into batches of a padded size.

    Examples are sorted by length inside a buffer, cut into batches, and the batches are
    shuffled with Python's `random`, which spaCy seeds. All examples longer than a window
    count as equally long, because they are cut into windows: documents of several
    windows keep the order of the corpus reader.

    The arguments are those of `make_batch_by_pieces`.
    """
    stream = iter(examples)
    while chunk := list(islice(stream, buffer)):
        pieces = [sum(estimate_pieces(t.text) for t in eg.predicted) for eg in chunk]
        order = sorted(range(len(chunk)), key=lambda i: min(pieces[i], window))
        batches: list[list[Example]] = []
        rows = 0
        batch: list[Example] = []
        for i in order:
            rows += -(-pieces[i] // window)
            if batch and rows * min(pieces[i], window) > size:
                batches.append(batch)
                rows, batch = -(-pieces[i] // window), []
            batch.append(chunk[i])
        batches.append(batch)
        random.shuffle(batches)
        yield from batches


def make_batch_by_pieces(size: int, window: int = 128, buffer: int = 256) -> Batcher:
    """Configure a batcher for `[training.batcher]`.

    size (int): Maximum word pieces of a batch, padding included. A longer example is a
        batch alone.
    window (int): `max_pieces` of the span getter.
    buffer (int): Number of examples that are sorted together.
    RETURNS (Callable[[Iterable[Example]], Iterator[list[Example]]]): The batcher.
    RAISES (ValueError): If a number is not positive.
    """
    if min(size, window, buffer) < 1:
        raise ValueError(f"batch sizes must be positive: {size=}, {window=}, {buffer=}")
    return partial(batch_by_pieces, size=size, window=window, buffer=buffer)
