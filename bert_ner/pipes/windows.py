"""Windows measured in word pieces.

The time for a batch depends on its longest sequence, counted in word pieces, but the
span getters of spacy-transformers count tokens: a window of 128 tokens has 150 word
pieces in prose and 400 in a table of results, and all other windows of the batch are
padded to 400. Here a window holds up to a number of word pieces, and every token is read
once, unless windows have context:

    context = 0     | window 1 || window 2 || window 3 |
    context = 32    | window 1   .... |
                          | ....  window 2   .... |
                                     | ....   window 3 |

If a token is in two windows, `bert_ner.TransformerModel.v2` reads it in the one where it
is farther from an edge.

Word pieces are estimated from characters, because a span getter has no access to the
tokenizer. For windows of 80 CoNLL-2003 tokens, nine estimates of ten are within 15 % of
BERT's uncased word pieces.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial

from spacy.tokens import Doc, Span

SpanGetter = Callable[[Iterable[Doc]], list[list[Span]]]

LETTERS_PER_PIECE = 7
DIGITS_PER_PIECE = 3
SENTENCE_END = frozenset({".", "!", "?"})
_RUNS = re.compile(r"(?P<letters>[A-Za-z]+)|(?P<digits>[0-9]+)|\S")


@lru_cache(maxsize=2**16)
def estimate_pieces(text: str) -> int:
    """Estimate the number of word pieces of a token with BERT's vocabulary, at least 1.

    Letters in a row count one for every 7, digits in a row one for every 3, and any
    other character (punctuation, other scripts) counts one:

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

    A window is filled until the next token would exceed a limit. It then ends after the
    last full stop, question mark or exclamation mark in its last third, or where it is
    full if there is none. With a limit of 6 word pieces:

        words    It  rained  all  day  .  |  We  stayed  at  home  .
        pieces    1     1     1    1   1      1     1     1    1   1

    The sixth word piece still fits, but the sentence ends before it.

    A token that exceeds a limit is a window alone.

    words (list[str]): The texts of the document's tokens.
    max_pieces (int): Maximum estimated word pieces of a window.
    max_chars (int): Maximum characters of a window.
    sentences (bool): Whether to end a window after every sentence as well.
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
    """Extend a window on both sides.

    words (list[str]): The texts of the document's tokens.
    window (tuple[int, int]): A half-open token range.
    context (int): Maximum estimated word pieces to add on each side.
    max_pieces (int): Maximum estimated word pieces of the whole window.
    max_chars (int): Maximum characters of the whole window.
    RETURNS (tuple[int, int]): The wider range; the same range if it is at a limit.
    """
    start, end = window
    pieces = max_pieces - sum(map(estimate_pieces, words[start:end]))  # what is left to add
    chars = max_chars - sum(map(len, words[start:end]))
    before = _count_fitting(
        reversed(words[max(0, start - context) : start]), min(context, pieces), chars
    )
    pieces -= sum(map(estimate_pieces, words[start - before : start]))
    chars -= sum(map(len, words[start - before : start]))
    after = _count_fitting(words[end : end + context], min(context, pieces), chars)
    return start - before, end + after


def _count_fitting(words: Iterable[str], pieces: int, chars: int) -> int:
    """The number of first words that fit into a limit of word pieces and characters."""
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

    A word piece of BERT has at least one character, so a window of 500 characters and
    the two special tokens fit into BERT's 512 positions. A Hangul syllable may become
    three word pieces and counts as one here: a window holds at most 128 of them.

    max_pieces (int): Maximum estimated word pieces of a window with its context.
    max_chars (int): Maximum characters of a window with its context.
    context (int): Estimated word pieces of context on each side.
    sentences (bool): Whether each sentence is a window. A full stop, a question mark or
        an exclamation mark counts as the end of a sentence.
    RETURNS (Callable[[Iterable[Doc]], list[list[Span]]]): The span getter.
    RAISES (ValueError): If a limit is not positive, or the context leaves no space.
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
