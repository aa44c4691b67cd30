"""The listener: vectors of tokens from the output of a `transformer` component."""

from collections.abc import Callable
from typing import Any

import numpy as np
import spacy_transformers.architectures  # noqa: F401  (registers the stock listener)
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, Ragged
from thinc.types import Floats2d

from . import wordpieces


def make_listener(
    pooling: Model[Ragged, Floats2d], grad_factor: float = 1.0, upstream: str = "*"
) -> Model[list[Doc], list[Floats2d]]:
    """Build a listener that gives a document without tokens vectors of the right width.

    It wraps the listener of spacy-transformers, which gives such a document vectors of
    width 0, so other features of the batch cannot be concatenated to them. For
    predictions, it also pools all documents at once instead of one by one.

    pooling (Model[Ragged, Floats2d]): From the word pieces of a token to its vector. If
        in doubt, mean pooling is a good choice.
    grad_factor (float): Factor of the gradient that goes back to the transformer.
    upstream (str): Name of the `transformer` component, "*" for any.
    RETURNS (Model[list[Doc], list[Floats2d]]): The listener; one (tokens, width) for
        each document.
    """
    make = registry.architectures.get("spacy-transformers.TransformerListener.v1")
    listener = make(pooling=pooling, grad_factor=grad_factor, upstream=upstream)
    return Model("listener", forward, layers=[listener], refs={"pooling": pooling})


def forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[..., Any]]:
    """Pool the encoder's output. For training, use the stock listener and widen empty vectors."""
    listener = model.layers[0]
    if not is_train and any(map(len, docs)) and all(doc._.trf_data is not None for doc in docs):
        return pool(model, docs), lambda _: []
    vectors, backprop = listener(docs, is_train)
    width = listener.get_ref("listener").get_dim("nO")
    return [v if len(v) else model.ops.alloc2f(0, width) for v in vectors], backprop


def pool(model: Model, docs: list[Doc]) -> list[Floats2d]:
    """Pool the word pieces of encoded documents.

    model (Model): The listener.
    docs (list[Doc]): Documents with `doc._.trf_data`, at least one of them with tokens.
    RETURNS (list[Floats2d]): The vectors of each document, (tokens, width).
    """
    data = [doc._.trf_data for doc in docs]
    hidden, aligned = wordpieces.join(data)
    pieces = model.ops.xp.concatenate(hidden)[model.ops.asarray1i(aligned.dataXd)]
    lengths = model.ops.asarray1i(aligned.lengths)
    vectors = model.get_ref("pooling").predict(Ragged(pieces, lengths))
    # counted in tokens of that time: a component in between may have merged some
    return list(model.ops.xp.split(vectors, np.cumsum([len(d.align.lengths) for d in data])[:-1]))
