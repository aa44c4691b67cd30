"""From documents to word pieces and back: tokenising, the case of tokens, alignment.

The tokenizer is given spaCy's tokens and says itself which word piece belongs to
which. Where windows overlap, a token is read in the window in which it is
farthest from an edge, and only there.

This file stands alone: `spacy package --code` copies it into the pipeline.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from spacy.tokens import Span
from spacy.util import registry
from spacy_transformers.data_classes import TransformerData, WordpieceBatch
from thinc.api import Ragged
from transformers.modeling_outputs import BaseModelOutput

CASES = ("lower", "title", "upper", "mixed", "digits", "punctuation")


@lru_cache(maxsize=2**16)
def case_of(word: str) -> int:
    """The case class of a token, an index into `CASES`.

        "talks", "naïve" -> lower        "Oslo", "I" -> title     "EU", "U.S." -> upper
        "McEwan", "iPhone" -> mixed      "1996", "3-1" -> digits  ".", "--", "" -> punctuation

    Scripts without case are lower. A word with letters and digits has the case
    of its letters.

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
    tokenizer: Any, config: Any, windows: list[Span], case_segments: bool
) -> tuple[WordpieceBatch, np.ndarray]:
    """Cut the tokens of each window into word pieces.

    tokenizer (PreTrainedTokenizerFast): The tokenizer.
    config (PretrainedConfig): The encoder's configuration.
    windows (list[Span]): The windows.
    case_segments (bool): Whether a segment says the case of its token.
    RETURNS (tuple[WordpieceBatch, np.ndarray]): The word pieces, padded, and
        which token of the window each belongs to, -1 for none; both
        (windows, longest).
    """
    words = [[token.text for token in window] for window in windows]
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
        for row, texts in enumerate(words):
            cases = np.array([case_of(text) for text in texts])
            inside = owners[row] >= 0
            segments[row, inside] = cases[owners[row, inside]]
    mask = encoded["attention_mask"]
    wordpieces = WordpieceBatch(
        strings=[e.tokens for e in encoded.encodings],
        input_ids=encoded["input_ids"],
        attention_mask=mask.astype("f"),
        lengths=mask.sum(axis=1).tolist(),
        token_type_ids=segments,
    )
    return wordpieces, owners


def group_by_length(lengths: list[int], size: int, call: int) -> list[list[int]]:
    """Group windows of similar length, so that few positions are padding.

    A window starts a new group where it would bring more padding to the shorter ones
    than running the encoder once more costs:

        lengths 5 5 6 20 20, a call costs as much as 30 word pieces:
        6 brings 2 x 1 = 2, and joins; 20 brings 3 x 14 = 42, and starts a group

    lengths (list[int]): Word pieces of each window.
    size (int): Positions of a group, padding included; a window that exceeds it is
        a group by itself.
    call (int): What it costs to run the encoder, in word pieces.
    RETURNS (list[list[int]]): Indices, each once.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        rows = len(groups[-1]) if groups else 0
        brings = rows * (lengths[i] - lengths[groups[-1][-1]]) if groups else 0
        if rows and (rows + 1) * lengths[i] <= size and brings <= call:
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


def drop_words(wordpieces: WordpieceBatch, words: np.ndarray, mask: int, share: float) -> None:
    """Hide tokens from the encoder, all word pieces of each.

    A name that is hidden can only be found by what stands around it, which is
    what new texts ask for: half of their names were never seen in training.
    Source: word dropout, Iyyer et al., "Deep Unordered Composition Rivals
    Syntactic Methods for Text Classification" (ACL 2015), with BERT's mask token.

    wordpieces (WordpieceBatch): The word pieces, changed in place.
    words (np.ndarray): See `align`.
    mask (int): The mask token.
    share (float): How many of the tokens, from 0 to 1. NumPy draws them, which
        spaCy seeds.
    """
    drawn = np.random.random((len(words), words.max(initial=0) + 1)) < share
    hidden = np.take_along_axis(drawn, np.maximum(words, 0), axis=1) & (words >= 0)
    wordpieces.input_ids[hidden] = mask


def choose_windows(windows: list[tuple[int, int]], length: int) -> np.ndarray:
    """For each token of a document, the window in which it is farthest from an edge.

    The document's own ends are no edges. Of equals, the first is taken.

    windows (list[tuple[int, int]]): Half-open token ranges that cover the document.
    length (int): Tokens in the document.
    RETURNS (np.ndarray): An index into the windows for each token, (length,).
    """
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


def align(windows: list[Span], words: np.ndarray) -> Ragged:
    """Which word pieces of a document belong to each of its tokens.

    A token without word pieces, such as a line break or one beyond the encoder's
    positions, belongs to the first piece of its window, which stands for all of it.

    windows (list[Span]): The document's windows.
    words (np.ndarray): The token of the window that each word piece belongs to,
        -1 for none, (windows, longest).
    RETURNS (Ragged): Indices into the document's word pieces, as one row after
        the other, and how many each token has.
    """
    length = len(windows[0].doc)
    chosen = choose_windows([(window.start, window.end) for window in windows], length)
    tokens, pieces = [], []
    for row, window in enumerate(windows):
        columns = np.flatnonzero(words[row] >= 0)
        inside = words[row, columns] + window.start
        own = chosen[inside] == row
        tokens.append(inside[own])
        pieces.append(columns[own] + row * words.shape[1])
    found = np.concatenate(tokens)
    bare = np.setdiff1d(np.arange(length), found)
    found = np.concatenate([found, bare])
    data = np.concatenate([*pieces, chosen[bare] * words.shape[1]])
    order = np.argsort(found, kind="stable")
    return Ragged(data[order].astype("i"), np.bincount(found, minlength=length).astype("i"))


def split(
    nested: list[list[Span]], wordpieces: WordpieceBatch, words: np.ndarray, hidden: Any
) -> list[TransformerData]:
    """Give each document its part of the batch.

    nested (list[list[Span]]): The windows of each document.
    wordpieces (WordpieceBatch): The word pieces of all windows.
    words (np.ndarray): See `align`.
    hidden (Floats3d): The encoder's output, (windows, longest, width).
    RETURNS (list[TransformerData]): One a document.
    """
    data = []
    start = 0
    for windows in nested:
        end = start + len(windows)
        if not windows:
            data.append(TransformerData.empty())
            continue
        data.append(
            TransformerData(
                wordpieces=wordpieces[start:end],
                model_output=BaseModelOutput(last_hidden_state=hidden[start:end]),
                align=align(windows, words[start:end]),
            )
        )
        start = end
    return data


def join(aligned: list[Ragged], sizes: list[int]) -> Ragged:
    """One alignment for the whole batch."""
    starts = np.cumsum([0, *sizes])
    return Ragged(
        np.concatenate([a.dataXd + s for a, s in zip(aligned, starts, strict=False)]),
        np.concatenate([a.lengths for a in aligned]),
    )


class Wordpieces:
    """What other files of the pipeline look up in the registry."""

    drop_words = staticmethod(drop_words)
    group_by_length = staticmethod(group_by_length)
    join = staticmethod(join)
    split = staticmethod(split)
    take = staticmethod(take)
    tokenize = staticmethod(tokenize)


def wordpieces() -> type[Wordpieces]:
    """Give the functions of this file to a file that cannot import it."""
    return Wordpieces


# Every pipeline brings this file along, and the first one to be loaded registers.
if not registry.has("misc", "bert_ner.wordpieces.v1"):
    registry.misc("bert_ner.wordpieces.v1", func=wordpieces)
