"""Windows and batches measured in word pieces.

A transformer pays for the longest sequence of a batch, counted in word pieces,
while spaCy's own span getters count tokens: a window of 128 tokens is 150 word
pieces of prose but 400 of a results table, and everything beside the table is
padded to 400. Here windows and batches are filled up to a number of word
pieces, and every token is read once, unless context is asked for:

    context = 0     | window 1 || window 2 || window 3 |
    context = 32    | window 1   .... |
                          | ....  window 2   .... |
                                     | ....   window 3 |

Of a token that stands in two windows, `bert_ner.TransformerModel.v1` takes the
reading that is farther from an edge.

The word pieces are estimated from the characters, since a span getter does not
see the tokenizer. Over windows of 80 CoNLL-2003 tokens the estimate is within
15 % of BERT's uncased word pieces in nine windows of ten.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import islice

from spacy.tokens import Doc, Span
from spacy.training import Example

SpanGetter = Callable[[Iterable[Doc]], list[list[Span]]]
Batcher = Callable[[Iterable[Example]], Iterator[list[Example]]]

LETTERS_PER_PIECE = 7
DIGITS_PER_PIECE = 3
SENTENCE_END = frozenset({".", "!", "?"})
_RUNS = re.compile(r"(?P<letters>[A-Za-z]+)|(?P<digits>[0-9]+)|\S")


@lru_cache(maxsize=2**16)
def estimate_pieces(text: str) -> int:
    """Estimate how many word pieces BERT cuts a token into, at least 1.

    A run of letters counts one for every 7, a run of digits one for every 3,
    and any other character (punctuation, other scripts) counts one:

        "Lebanon" -> 1, "1996-08-30" -> 2 + 1 + 1 + 1 + 1 = 6, "..." -> 3

    text (str): The token's text.
    RETURNS (int): The estimate, in word pieces.
    """
    pieces = 0
    for run in _RUNS.finditer(text):
        length = run.end() - run.start()
        if run["letters"]:
            pieces += -(-length // LETTERS_PER_PIECE)
        elif run["digits"]:
            pieces += -(-length // DIGITS_PER_PIECE)
        else:
            pieces += 1
    return max(1, pieces)


def cut_windows(
    words: list[str], *, max_pieces: int, max_chars: int, sentences: bool = False
) -> list[tuple[int, int]]:
    """Cut a document into windows that cover every token exactly once.

    A window is filled until the next token would exceed a limit. It then ends
    after the last full stop, question or exclamation mark in its last third,
    or where it is full if there is none. With a limit of 6 word pieces:

        words    It  rained  all  day  .  |  We  stayed  at  home  .
        pieces    1     1     1    1   1      1     1     1    1   1

    The sixth word piece still fits, but the sentence ends before it.

    A token that exceeds a limit by itself gets a window of its own.

    words (list[str]): The texts of the document's tokens.
    max_pieces (int): Limit of a window, in estimated word pieces.
    max_chars (int): Limit of a window, in characters.
    sentences (bool): End a window after every sentence, too.
    RETURNS (list[tuple[int, int]]): Half-open token ranges, in order.
    """
    windows = []
    start = pieces = chars = 0
    for i, word in enumerate(words):
        pieces += estimate_pieces(word)
        chars += len(word)
        while i > start and (pieces > max_pieces or chars > max_chars):
            end = _last_sentence_end(words, start, i)
            windows.append((start, end))
            start = end
            pieces = sum(estimate_pieces(w) for w in words[start : i + 1])
            chars = sum(len(w) for w in words[start : i + 1])
        if sentences and word in SENTENCE_END:
            windows.append((start, i + 1))
            start, pieces, chars = i + 1, 0, 0
    if start < len(words):
        windows.append((start, len(words)))
    return windows


def _last_sentence_end(words: list[str], start: int, full: int) -> int:
    """The end of the last sentence that ends in the last third of a window."""
    for end in range(full, full - (full - start) // 3, -1):
        if words[end - 1] in SENTENCE_END:
            return end
    return full


def add_context(
    words: list[str], window: tuple[int, int], *, context: int, max_pieces: int, max_chars: int
) -> tuple[int, int]:
    """Widen a window to both sides.

    words (list[str]): The texts of the document's tokens.
    window (tuple[int, int]): A half-open token range.
    context (int): How many estimated word pieces to add on each side, at most.
    max_pieces (int): Limit of the whole window, in estimated word pieces.
    max_chars (int): Limit of the whole window, in characters.
    RETURNS (tuple[int, int]): The wider range; the window itself if it is at a limit.
    """
    start, end = window
    pieces = max_pieces - sum(map(estimate_pieces, words[start:end]))  # that are left
    chars = max_chars - sum(map(len, words[start:end]))
    before = _count_fitting(
        reversed(words[max(0, start - context) : start]), min(context, pieces), chars
    )
    pieces -= sum(map(estimate_pieces, words[start - before : start]))
    chars -= sum(map(len, words[start - before : start]))
    after = _count_fitting(words[end : end + context], min(context, pieces), chars)
    return start - before, end + after


def _count_fitting(words: Iterable[str], pieces: int, chars: int) -> int:
    """How many of the first words have together no more word pieces and characters."""
    count = 0
    for word in words:
        pieces -= estimate_pieces(word)
        chars -= len(word)
        if pieces < 0 or chars < 0:
            break
        count += 1
    return count


def get_windows(
    docs: Iterable[Doc],
    *,
    max_pieces: int,
    max_chars: int,
    context: int = 0,
    sentences: bool = False,
) -> list[list[Span]]:
    """The windows of each document as spans. See `make_windows`."""
    spans = []
    for doc in docs:
        words = [token.text for token in doc]
        windows = cut_windows(
            words,
            max_pieces=max_pieces - 2 * context,
            max_chars=max_chars - 2 * context * max_chars // max_pieces,
            sentences=sentences,
        )
        if context:
            limits = {"context": context, "max_pieces": max_pieces, "max_chars": max_chars}
            windows = [add_context(words, window, **limits) for window in windows]
        spans.append([doc[start:end] for start, end in windows])
    return spans


def make_windows(
    max_pieces: int = 128, max_chars: int = 500, context: int = 0, sentences: bool = False
) -> SpanGetter:
    """Configure a span getter for a transformer model.

    A word piece of BERT holds at least one character, so a window of 500
    characters and the two special tokens fit into its 512 positions. Hangul
    syllables may become three pieces each, and count as one here: their windows
    end at 128 of them.

    max_pieces (int): Limit of a window with its context, in estimated word pieces.
    max_chars (int): Limit of a window with its context, in characters.
    context (int): How many word pieces of the text on each side to read along.
    sentences (bool): Whether each sentence gets a window of its own, for which
        a full stop, a question or an exclamation mark counts as a sentence's end.
    RETURNS (Callable[[Iterable[Doc]], list[list[Span]]]): The span getter.
    RAISES (ValueError): If nothing is left of a window without its context.
    """
    if min(max_pieces, max_chars) < 1 or not 0 <= 2 * context < max_pieces:
        raise ValueError(
            f"window limits must be positive, and twice the context less: "
            f"{max_pieces=}, {max_chars=}, {context=}"
        )
    return partial(
        get_windows,
        max_pieces=max_pieces,
        max_chars=max_chars,
        context=context,
        sentences=sentences,
    )


def batch_by_pieces(
    examples: Iterable[Example], *, size: int, window: int, buffer: int
) -> Iterator[list[Example]]:
    """Group examples of similar length into batches of a padded size.

    Examples are sorted by length inside a buffer, cut into batches, and the
    batches are shuffled with Python's `random`, which spaCy seeds. Everything
    longer than a window counts as equally long, because it is cut into windows:
    documents of several windows keep the corpus reader's order.
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

    size (int): Word pieces in a batch, padding included. An example that
        exceeds it is a batch by itself.
    window (int): The span getter's `max_pieces`.
    buffer (int): How many examples are sorted together.
    RETURNS (Callable[[Iterable[Example]], Iterator[list[Example]]]): The batcher.
    """
    if min(size, window, buffer) < 1:
        raise ValueError(f"batch sizes must be positive: {size=}, {window=}, {buffer=}")
    return partial(batch_by_pieces, size=size, window=window, buffer=buffer)
