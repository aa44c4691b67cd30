"""A transformer model that reads each token once, where it has most context.

It takes the place of `spacy-transformers.TransformerModel.v3` in a config and
feeds the same listeners. It differs in this:

- The tokenizer itself says which word piece belongs to which token: see
  wordpieces.py.
- `case_segments` gives the encoder back what an uncased vocabulary throws away.
- The encoder can be frozen or adapted in part, and stores its weights as
  safetensors: see encoder.py.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import spacy_transformers.architectures  # noqa: F401  (registers what a config names)
from spacy.tokens import Doc, Span
from spacy.util import registry
from spacy_transformers.data_classes import FullTransformerBatch, WordpieceBatch
from spacy_transformers.layers.transformer_model import (
    TransformerModel,
)
from thinc.api import CupyOps, Model, Ragged, torch2xp
from thinc.types import Floats2d
from transformers.modeling_outputs import BaseModelOutput

from . import wordpieces
from .encoder import make_encoder

# Word pieces that the encoder reads at once, padding included: few for the caches of a
# processor, many to keep a GPU busy. And how many take as long as calling it does.
ON_CPU, TRAINING, ON_GPU = (2048, 32), (2048, 64), (65536, 8192)


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
        token. See `case_of` in wordpieces.py, and adaptation.py.
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
    model.layers[0] = make_encoder(
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


def make_transformer_model_v1(
    name: str,
    get_spans: Callable[[Iterable[Doc]], list[list[Span]]],
    tokenizer_config: dict[str, Any] | None = None,
    transformer_config: dict[str, Any] | None = None,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
    case_segments: bool = False,
    word_dropout: float = 0.0,
    frozen_layers: int | None = None,
    frozen_steps: int = 0,
    lora_rank: int = 0,
    lora_alpha: float = 16.0,
) -> Model[list[Doc], FullTransformerBatch]:
    """Build what version 1 built, so that pipelines of any age load.

    See `make_transformer_model`.

    word_dropout (float): Ignored. It hid tokens during training only, and lowered F1.
    """
    return make_transformer_model(
        name,
        get_spans,
        tokenizer_config=tokenizer_config,
        transformer_config=transformer_config,
        mixed_precision=mixed_precision,
        grad_scaler_config=grad_scaler_config,
        case_segments=case_segments,
        frozen_layers=frozen_layers,
        frozen_steps=frozen_steps,
        lora_rank=lora_rank,
        lora_alpha=lora_alpha,
    )


def refuse_replacing(*_: Any) -> None:
    """Say that a component cannot get an encoder of its own."""
    raise ValueError(
        "bert_ner.TransformerModel cannot be put in the place of a listener. "
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
    pieces, words = wordpieces.tokenize(
        model.tokenizer, model.transformer.config, nested, model.attrs["case_segments"]
    )
    output, backprop = encode(model.layers[0], pieces, is_train)
    aligned = wordpieces.align(nested, words)
    batch = FullTransformerBatch(
        spans=nested,
        wordpieces=pieces,
        model_output=output,
        align=aligned,
        cached_doc_data=wordpieces.split(
            nested, pieces, aligned, torch2xp(output.last_hidden_state)
        ),
    )

    def backprop_windows(d_output: FullTransformerBatch) -> list[Doc]:
        backprop(d_output.model_output)
        return docs

    return batch, backprop_windows


def encode(
    encoder: Model, pieces: WordpieceBatch, is_train: bool
) -> tuple[BaseModelOutput, Callable[[Any], None]]:
    """Run the encoder on windows of similar length at a time, and restore their order.

    encoder (Model): The encoder.
    pieces (WordpieceBatch): The windows, padded to the longest.
    is_train (bool): Whether its gradient is wanted.
    RETURNS (tuple[BaseModelOutput, Callable]): `last_hidden_state`, (windows, longest,
        width), 0 in padding where windows were taken apart; and the way back.
    """
    on_gpu = isinstance(encoder.ops, CupyOps)
    size, call = ON_GPU if on_gpu else TRAINING if is_train else ON_CPU
    parts = wordpieces.group_by_length(pieces.lengths, size, call)
    if len(parts) == 1 or (is_train and on_gpu):  # there a gradient's scale is undone only once
        return encoder(pieces, is_train)
    hidden, ways_back = None, []
    for rows in parts:
        output, backprop = encoder(wordpieces.take(pieces, rows), is_train)
        part = output.last_hidden_state.detach()
        if hidden is None:
            hidden = part.new_zeros((*pieces.input_ids.shape, part.shape[-1]))
        hidden[rows, : part.shape[1]] = part
        ways_back.append((rows, part.shape[1], backprop))

    def backprop_parts(gradient: BaseModelOutput) -> None:
        for rows, longest, backprop in ways_back:
            backprop(BaseModelOutput(last_hidden_state=gradient[0][rows, :longest]))

    return BaseModelOutput(last_hidden_state=hidden), backprop_parts


def make_listener(
    pooling: Model[Ragged, Floats2d], grad_factor: float = 1.0, upstream: str = "*"
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that gives a document without tokens vectors of the right width.

    The one of spacy-transformers, which it stands for, gives such a document a
    width of 0, and features cannot be put beside that in a batch with others. It
    also gathers the word pieces of one document after the other; here that is done
    for all at once, but for training.

    pooling (Model[Ragged, Floats2d]): From the word pieces of a token to its vector.
    grad_factor (float): What the gradient is multiplied with on its way back.
    upstream (str): The `transformer` component to listen to, "*" for any.
    RETURNS (Model[list[Doc], list[Floats2d]]): The listener.
    """
    make = registry.architectures.get("spacy-transformers.TransformerListener.v1")
    listener = make(pooling=pooling, grad_factor=grad_factor, upstream=upstream)
    return Model("listener", forward_listener, layers=[listener], refs={"pooling": pooling})


def forward_listener(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[..., Any]]:
    """Pool what was encoded; to train, listen as the other does, and widen what is empty."""
    listener = model.layers[0]
    if not is_train and any(map(len, docs)) and all(doc._.trf_data is not None for doc in docs):
        return pool(model, docs), lambda _: []
    vectors, backprop = listener(docs, is_train)
    width = listener.get_ref("listener").get_dim("nO")
    return [v if len(v) else model.ops.alloc2f(0, width) for v in vectors], backprop


def pool(model: Model, docs: list[Doc]) -> list[Floats2d]:
    """The vectors of documents that were encoded, (tokens, width) each."""
    data = [doc._.trf_data for doc in docs]
    hidden, aligned = wordpieces.join(data)
    pieces = model.ops.xp.concatenate(hidden)[model.ops.asarray1i(aligned.dataXd)]
    lengths = model.ops.asarray1i(aligned.lengths)
    vectors = model.get_ref("pooling").predict(Ragged(pieces, lengths))
    # a component between has perhaps merged tokens
    return list(model.ops.xp.split(vectors, np.cumsum([len(d.align.lengths) for d in data])[:-1]))
