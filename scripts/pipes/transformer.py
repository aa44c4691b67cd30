"""A transformer model that reads each token once, where it has most context.

It takes the place of `spacy-transformers.TransformerModel.v3` in a config and
feeds the same listeners. It differs in this:

- The tokenizer is given spaCy's tokens and says itself which word piece belongs
  to which. Where windows overlap, a token is read in the window in which it is
  farthest from an edge, and only there.
- `case_segments` gives the encoder back what an uncased vocabulary throws away.
- The encoder can be frozen or adapted in part, and stores its weights as
  safetensors: see encoder.py.

This file stands alone: `spacy package --code` copies it into the pipeline.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import spacy_transformers.architectures  # noqa: F401  (registers what a config names)
from spacy.tokens import Doc, Span
from spacy.util import registry
from spacy_transformers.data_classes import (
    FullTransformerBatch,
    TransformerData,
    WordpieceBatch,
)
from spacy_transformers.layers.transformer_model import (
    TransformerModel,
)
from thinc.api import Model, Ragged, torch2xp
from thinc.types import Floats2d
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


def make_transformer_model(
    name: str,
    get_spans: Callable[[Iterable[Doc]], list[list[Span]]],
    tokenizer_config: dict[str, Any] | None = None,
    transformer_config: dict[str, Any] | None = None,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
    case_segments: bool = False,
    frozen_layers: int | None = None,
    frozen_steps: int = 0,
    lora_rank: int = 0,
    lora_alpha: float = 16.0,
) -> Model[list[Doc], FullTransformerBatch]:
    """Build a transformer model for spacy-transformers' `transformer` component.

    name (str): The encoder: a local folder or a name on the Hub.
    get_spans (Callable): The span getter. Its spans may overlap; together they
        must hold every token.
    tokenizer_config (dict[str, Any]): Settings of the tokenizer.
    transformer_config (dict[str, Any]): Settings of the encoder.
    mixed_precision (bool): Whether to compute in half precision on a GPU, and
        on a CPU to train, but not to predict, in bfloat16. That pays on a CPU that
        has instructions for it.
    grad_scaler_config (dict[str, Any]): Settings of the gradient scaler.
    case_segments (bool): Whether each word piece's segment says the case of its
        token. See `case_of`, and `add_case_segments` in encoder.py.
    frozen_layers (int | None): Freeze the embeddings and this many of the lowest
        layers; 0 is the embeddings alone, None is nothing.
    frozen_steps (int): Train nothing of the encoder in the first steps.
    lora_rank (int): Rank of the adapters, 0 for none. Needs peft to train.
    lora_alpha (float): What the adapters' output is scaled by, times the rank.
    RETURNS (Model): The model.
    """
    model = TransformerModel(
        name,
        get_spans,
        {"use_fast": True, **(tokenizer_config or {})},
        dict(transformer_config or {}),
        mixed_precision,
        dict(grad_scaler_config or {}),
    )
    model.layers[0] = registry.misc.get("bert_ner.encoder.v1")(
        model.layers[0].shims[0]._hfmodel,
        case_segments=case_segments,
        frozen_layers=frozen_layers,
        frozen_steps=frozen_steps,
        lora={"rank": lora_rank, "alpha": lora_alpha} if lora_rank else {},
        mixed_precision=mixed_precision,
        grad_scaler_config=dict(grad_scaler_config or {}),
    )
    model._func = forward
    model.init = init
    model.attrs["case_segments"] = case_segments
    model.attrs["replace_listener"] = refuse_replacing
    model.attrs["replace_listener_cfg"] = refuse_replacing
    return model


def refuse_replacing(*_: Any) -> None:
    """Say that a component cannot get an encoder of its own."""
    raise ValueError(
        "bert_ner.TransformerModel.v1 cannot be put in the place of a listener. "
        "Source the transformer together with the component that listens to it."
    )


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the encoder, unless it is there."""
    if not model.attrs["has_transformer"]:
        model.attrs["set_transformer"](model, model.layers[0].shims[0].load(model.attrs["name"]))


def forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[FullTransformerBatch, Callable[[FullTransformerBatch], list[Doc]]]:
    """Cut documents into windows and run the encoder on all of them at once."""
    nested = model.attrs["get_spans"](docs)
    windows = [window for spans in nested for window in spans]
    wordpieces, words = tokenize(
        model.tokenizer, model.transformer.config, windows, model.attrs["case_segments"]
    )
    output, backprop = model.layers[0](wordpieces, is_train)
    data = split(nested, wordpieces, words, torch2xp(output.last_hidden_state))
    batch = FullTransformerBatch(
        spans=nested,
        wordpieces=wordpieces,
        model_output=output,
        align=_join([d.align for d in data], [d.wordpieces.input_ids.size for d in data]),
        cached_doc_data=data,
    )

    def backprop_windows(d_output: FullTransformerBatch) -> list[Doc]:
        backprop(d_output.model_output)
        return docs

    return batch, backprop_windows


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


def _join(aligned: list[Ragged], sizes: list[int]) -> Ragged:
    """One alignment for the whole batch."""
    starts = np.cumsum([0, *sizes])
    return Ragged(
        np.concatenate([a.dataXd + s for a, s in zip(aligned, starts, strict=False)]),
        np.concatenate([a.lengths for a in aligned]),
    )


def make_listener(
    pooling: Model[Ragged, Floats2d], grad_factor: float = 1.0, upstream: str = "*"
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that gives a document without tokens vectors of the right width.

    The one of spacy-transformers, which it stands for, gives such a document a
    width of 0, and features cannot be put beside that in a batch with others.

    pooling (Model[Ragged, Floats2d]): From the word pieces of a token to its vector.
    grad_factor (float): What the gradient is multiplied with on its way back.
    upstream (str): The `transformer` component to listen to, "*" for any.
    RETURNS (Model[list[Doc], list[Floats2d]]): The listener.
    """
    make = registry.architectures.get("spacy-transformers.TransformerListener.v1")
    listener = make(pooling=pooling, grad_factor=grad_factor, upstream=upstream)
    return Model("listener", forward_listener, layers=[listener])


def forward_listener(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[..., Any]]:
    """Listen, and widen what is empty."""
    listener = model.layers[0]
    vectors, backprop = listener(docs, is_train)
    width = listener.get_ref("listener").get_dim("nO")
    return [v if len(v) else model.ops.alloc2f(0, width) for v in vectors], backprop


# Every pipeline brings this file along, and the first one to be loaded registers.
if not registry.has("architectures", "bert_ner.TransformerListener.v1"):
    registry.architectures("bert_ner.TransformerListener.v1", func=make_listener)
if not registry.has("architectures", "bert_ner.TransformerModel.v1"):
    registry.architectures("bert_ner.TransformerModel.v1", func=make_transformer_model)
