"""From documents to word pieces and back: tokenization, the case of tokens, alignment.

The tokenizer gets spaCy's tokens and itself returns the token of each word piece. If
windows overlap, a token is read only in the window where it is farthest from an edge.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from spacy.tokens import Span
from spacy_transformers.data_classes import TransformerData, WordpieceBatch
from thinc.api import Ragged
from transformers.modeling_outputs import BaseModelOutput

CASES = ("lower", "title", "upper", "mixed", "digits", "punctuation")


@lru_cache(maxsize=2**16)
def case_of(word: str) -> int:
    """The case class of a token, an index into `CASES`.

        "talks", "naïve" -> lower        "Oslo", "I" -> title     "EU", "U.S." -> upper
        "McEwan", "iPhone" -> mixed      "1996", "3-1" -> digits  ".", "--", "" -> punctuation

    Scripts without case are lower. A token with letters and digits has the case of its
    letters.

    word (str): The token's text.
    RETURNS (int): The class.
    """
    letters = [c for c in word if c.isalpha()]
    if not letters:
        return CASES.index("digits" if any(c.isdigit() for c in word) else "punctuation")
    upper = [c.isupper() for c in letters]
    if not any(upper):
        return CASES.index("lower")
    if upper[0] and not any(upper[1:]):
        return CASES.index("title")
    return CASES.index("upper" if all(upper) else "mixed")


def tokenize(
    tokenizer: Any, config: Any, nested: list[list[Span]], case_segments: bool
) -> tuple[WordpieceBatch, np.ndarray]:
    """Cut the tokens of each window into word pieces.

    tokenizer (PreTrainedTokenizerFast): The tokenizer.
    config (PretrainedConfig): The encoder's configuration.
    nested (list[list[Span]]): The windows of each document.
    case_segments (bool): Whether the segment of a word piece is the case of its token.
    RETURNS (tuple[WordpieceBatch, np.ndarray]): The word pieces, padded, and the index
        in the window of each one's token, -1 for none; both (windows, longest).
    """
    words = [part for windows in nested for part in _words(windows)]
    encoded = tokenizer(
        words,
        is_split_into_words=True,
        padding="longest",
        truncation=True,
        max_length=min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", 512)),
        return_attention_mask=True,
        return_token_type_ids=getattr(config, "type_vocab_size", 0) > 0,
        return_tensors="np",
    )
    owners = np.array(
        [[-1 if i is None else i for i in e.word_ids] for e in encoded.encodings], dtype="i"
    )
    segments = encoded.get("token_type_ids")
    if case_segments:
        segments = np.zeros_like(encoded["input_ids"])
        segments[owners >= 0] = _cases(words, owners)
    mask = encoded["attention_mask"]
    wordpieces = WordpieceBatch(
        strings=[e.tokens for e in encoded.encodings],
        input_ids=encoded["input_ids"],
        attention_mask=mask.astype("f"),
        lengths=mask.sum(axis=1).tolist(),
        token_type_ids=segments,
    )
    return wordpieces, owners


def _cases(words: list[list[str]], owners: np.ndarray) -> np.ndarray:
    """The case of each word piece that has a token, row by row. See `tokenize`."""
    cases = np.array([case_of(word) for part in words for word in part])
    first = np.cumsum([0, *map(len, words[:-1])])[:, None]  # index of each window's first word
    pieces: np.ndarray = cases[(first + owners)[owners >= 0]]
    return pieces


def _words(windows: list[Span]) -> list[list[str]]:
    """The words of each window of a document."""
    texts = [token.text for token in windows[0].doc] if windows else []
    return [texts[window.start : window.end] for window in windows]


def group_by_length(lengths: list[int], size: int, call: int) -> list[list[int]]:
    """Group windows of similar length, to have little padding.

    A window starts a new group if it would add more padding to the shorter ones than
    another call of the encoder costs:

        lengths 5 5 6 20 20, and a call costs as much as 30 positions:
        6 adds 2 x 1 = 2 and joins; 20 adds 3 x 14 = 42 and starts a group

    lengths (list[int]): Word pieces of each window.
    size (int): Maximum positions of a group, padding included. A longer window is a
        group alone.
    call (int): Cost of a call of the encoder, in positions.
    RETURNS (list[list[int]]): Indices, each once.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        rows = len(groups[-1]) if groups else 0
        padding = rows * (lengths[i] - lengths[groups[-1][-1]]) if groups else 0
        if rows and (rows + 1) * lengths[i] <= size and padding <= call:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def take(wordpieces: WordpieceBatch, rows: list[int]) -> WordpieceBatch:
    """Some windows of a batch, padded to the longest of them."""
    longest = max(wordpieces.lengths[row] for row in rows)
    segments = wordpieces.token_type_ids
    return WordpieceBatch(
        strings=[],
        input_ids=wordpieces.input_ids[rows, :longest],
        attention_mask=wordpieces.attention_mask[rows, :longest],
        lengths=[wordpieces.lengths[row] for row in rows],
        token_type_ids=None if segments is None else segments[rows, :longest],
    )


def choose_windows(windows: list[tuple[int, int]], length: int) -> np.ndarray:
    """For each token of a document, the window where it is farthest from an edge.

    The ends of the document do not count as edges. Of equals, the first is chosen.

    windows (list[tuple[int, int]]): Half-open token ranges that cover the document.
    length (int): Tokens in the document.
    RETURNS (np.ndarray): The index of a window for each token, (length,).
    """
    starts, ends = zip(*windows, strict=True)
    if (0, *ends) == (*starts, length):  # windows without overlap, in order
        return np.repeat(np.arange(len(windows), dtype="i"), np.subtract(ends, starts))
    farthest = np.full(length, -1)
    chosen = np.zeros(length, dtype="i")
    for i, (start, end) in enumerate(windows):
        tokens = np.arange(start, end)
        left = tokens - start if start else np.full(len(tokens), length)
        right = end - 1 - tokens if end < length else np.full(len(tokens), length)
        distance = np.minimum(left, right)
        better = distance > farthest[start:end]
        farthest[start:end][better] = distance[better]
        chosen[start:end][better] = i
    return chosen


def align(nested: list[list[Span]], words: np.ndarray) -> Ragged:
    """Align tokens with the word pieces of a batch.

    A token without word pieces, such as a line break or a token beyond the encoder's
    positions, gets the first word piece of its window, which represents the whole window.

    nested (list[list[Span]]): The windows of each document.
    words (np.ndarray): The index in the window of each word piece's token, -1 for none,
        (windows, longest).
    RETURNS (Ragged): Indices into the word pieces of the batch, row by row, and the
        number of word pieces of each token.
    """
    starts: list[int] = []  # first token of each window, counted over the batch
    chosen = []  # window of each token
    length = 0
    for windows in filter(None, nested):
        ranges = [(window.start, window.end) for window in windows]
        chosen.append(len(starts) + choose_windows(ranges, len(windows[0].doc)))
        starts += [length + start for start, _ in ranges]
        length += len(windows[0].doc)
    window_of, longest = np.concatenate(chosen), words.shape[1]
    rows, columns = np.nonzero(words >= 0)
    tokens = words[rows, columns] + np.array(starts)[rows]
    own = window_of[tokens] == rows
    tokens, pieces = tokens[own], (rows * longest + columns)[own]
    lengths = np.bincount(tokens, minlength=length)
    bare = np.flatnonzero(lengths == 0)
    lengths[bare] = 1
    order = np.argsort(np.concatenate([tokens, bare]), kind="stable")
    data = np.concatenate([pieces, window_of[bare] * longest])[order]
    return Ragged(data.astype("i"), lengths.astype("i"))


def split(
    nested: list[list[Span]], wordpieces: WordpieceBatch, aligned: Ragged, hidden: Any
) -> list[TransformerData]:
    """Split the batch by document.

    nested (list[list[Span]]): The windows of each document.
    wordpieces (WordpieceBatch): The word pieces of all windows.
    aligned (Ragged): See `align`.
    hidden (Floats3d): The encoder's output, (windows, longest, width).
    RETURNS (list[TransformerData]): One for each document.
    """
    data = []
    pieces = np.cumsum([0, *aligned.lengths])  # before each token
    row = token = 0
    for windows in nested:
        if not windows:
            data.append(TransformerData.empty())
            continue
        rows = slice(row, row + len(windows))
        tokens = slice(token, token + len(windows[0].doc))
        own = aligned.dataXd[pieces[tokens.start] : pieces[tokens.stop]]
        data.append(
            TransformerData(
                wordpieces=wordpieces[rows],
                model_output=BaseModelOutput(last_hidden_state=hidden[rows]),
                align=Ragged(own - row * hidden.shape[1], aligned.lengths[tokens]),
            )
        )
        row, token = rows.stop, tokens.stop
    return data


def join(data: list[TransformerData]) -> tuple[list[Any], Ragged]:
    """Join the data of documents, which may come from different batches.

    data (list[TransformerData]): One for each document, at least one with tokens.
    RETURNS (tuple[list[Floats2d], Ragged]): The encoder's output for each document with
        word pieces, (pieces, width), and for each token the indices of its word pieces,
        counted over all documents.
    """
    full = [d for d in data if "last_hidden_state" in d.model_output]
    hidden = [d.model_output.last_hidden_state.reshape(-1, d.width) for d in full]
    starts = np.cumsum([0, *map(len, hidden)])
    indices = [d.align.dataXd + start for d, start in zip(full, starts, strict=False)]
    return hidden, Ragged(np.concatenate(indices), np.concatenate([d.align.lengths for d in full]))
