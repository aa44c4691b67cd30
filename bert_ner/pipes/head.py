"""The model of `token_classifier_ner`: from vectors of tokens to scores of tags."""

from collections.abc import Callable
from typing import Any

import safetensors.torch
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import ArgsKwargs, Model, PyTorchWrapper_v3, concatenate, torch2xp, xp2torch
from torch import Tensor, nn

from .tags import tagset

ACTIVATIONS = {"none": nn.Identity, "tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}
DECODERS = ("softmax", "crf")


class Head(nn.Module):
    """Scores of tags from vectors of tokens, and a CRF's transitions.

    Its sizes are known only when it is trained or loaded: see `build`.
    """

    def __init__(self, hidden_width: int, activation: str, dropout: float, crf: bool) -> None:
        super().__init__()
        self.hidden_width = hidden_width
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.crf = crf

    def build(self, width: int, tags: int) -> None:
        """Make the layers, for vectors of a width and a number of tags."""
        if self.hidden_width:
            self.hidden = nn.Linear(width, self.hidden_width)
        self.output = nn.Linear(self.hidden_width or width, tags)
        nn.init.normal_(self.output.weight, std=0.02)
        nn.init.zeros_(self.output.bias)
        if self.crf:
            self.transitions = nn.Parameter(torch.zeros(tags + 1, tags + 1))

    def forward(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """Score the tags of each token, (tokens, K), beside a CRF's transitions (K + 1, K + 1)."""
        if self.hidden_width:
            vectors = self.activation(self.hidden(self.dropout(vectors)))
        scores = self.output(self.dropout(vectors))
        return (scores, self.transitions) if self.crf else (scores,)


def _convert_outputs(
    model: Model, inputs_outputs: Any, is_train: bool
) -> tuple[Any, Callable[..., Any]]:
    """Thinc's own takes one tensor only."""
    _, tensors = inputs_outputs

    def reverse(gradients: tuple[Any, ...]) -> ArgsKwargs:
        converted = tuple(xp2torch(g, device=tensors[0].device) for g in gradients)
        return ArgsKwargs(args=(tensors,), kwargs={"grad_tensors": converted})

    return tuple(torch2xp(tensor) for tensor in tensors), reverse


def _save_head(head: Head) -> bytes:
    state = {name: tensor.contiguous().cpu() for name, tensor in head.state_dict().items()}
    return safetensors.torch.save(state)


def _load_head(head: Head, content: bytes, device: torch.device) -> Head:
    state = safetensors.torch.load(content)
    if state:
        first = "hidden" if head.hidden_width else "output"
        head.build(state[f"{first}.weight"].shape[1], state["output.weight"].shape[0])
        try:
            head.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise ValueError(f"the head's weights do not fit: {error}") from error
    return head.to(device)


def make_token_classifier(
    tok2vec: Model[list[Doc], list[Any]],
    hidden_width: int = 0,
    activation: str = "tanh",
    dropout: float = 0.1,
    decoder: str = "softmax",
    scheme: str = "biluo",
    shape_width: int = 0,
    pos_width: int = 0,
    class_weight: float = 0.0,
    rate: float = 1.0,
    nO: int | None = None,
) -> Model[list[Doc], tuple[Any, Any]]:
    """Build the model of `token_classifier_ner`.

    tok2vec (Model[list[Doc], list[Floats2d]]): Vectors of tokens, usually
        `bert_ner.TransformerListener.v1`, whose `pooling` makes them from word
        pieces.
    hidden_width (int): Width of a hidden layer, 0 for a linear head.
    activation (str): The hidden layer's: none, tanh, relu or gelu.
    dropout (float): Of the vectors, and of the hidden layer.
    decoder (str): "softmax" trains each token by itself; "crf" trains whole
        sequences with transitions between tags. Both decode legal sequences only.
    scheme (str): The tag scheme, "biluo" or "iob2".
    shape_width (int): Width of embeddings of word shape and suffix, put beside
        the vectors; 0 for none.
    pos_width (int): Width of embeddings of part-of-speech tags, put beside the
        vectors; 0 for none. The tags are those that a `tagger` before this
        component has set, in training, too: see configs/pos.cfg.
    class_weight (float): Weigh the loss of a token by the frequency of its gold
        tag to the power of minus this: 0 is no weight, 0.5 a mild and 1 a full
        balance. For the softmax decoder only.
    rate (float): The learning rate of this model, as a multiple of the optimizer's,
        which suits an encoder that knows much already. This model starts from
        nothing.
    nO (int | None): Number of tags, known after initialisation.
    RETURNS (Model[list[Doc], tuple[Floats2d, Floats2d]]): Scores of tags, of all
        documents' tokens one after the other (tokens, K), and transitions
        (K + 1, K + 1).
    RAISES (ValueError): If an argument is not as described.
    """
    tagset((), scheme)  # raises for an unknown scheme
    for key, value, known in (
        ("activation", activation, ACTIVATIONS),
        ("decoder", decoder, DECODERS),
    ):
        if value not in known:
            raise ValueError(f'{key} = "{value}": expected one of {", ".join(known)}')
    if min(hidden_width, shape_width, pos_width, class_weight) < 0 or not 0 <= dropout < 1:
        raise ValueError("widths and class_weight must be 0 or more, and dropout from 0 to below 1")
    if rate <= 0:
        raise ValueError(f"rate = {rate}: expected a number above 0")
    if class_weight and decoder != "softmax":
        raise ValueError('class_weight needs decoder = "softmax": a CRF weighs whole sequences')
    embed = registry.architectures.get("spacy.MultiHashEmbed.v2")
    beside = []
    if shape_width:
        beside.append(embed(shape_width, ["SHAPE", "SUFFIX"], [1000, 2000], False))
    if pos_width:
        beside.append(embed(pos_width, ["TAG"], [200], False))
    vectors = concatenate(tok2vec, *beside) if beside else tok2vec
    head = PyTorchWrapper_v3(
        Head(hidden_width, activation, dropout, decoder == "crf"),
        convert_outputs=_convert_outputs,
        serialize_model=_save_head,
        deserialize_model=_load_head,
    )
    return Model(
        "token_classifier",
        forward,
        init=init,
        layers=[vectors, head],
        dims={"nO": nO},
        refs={"tok2vec": tok2vec},
        attrs={
            "decoder": decoder,
            "scheme": scheme,
            "class_weight": class_weight,
            "needs_tags": pos_width > 0,
            "rate": rate,
        },
    )


def init(model: Model, X: list[Doc], Y: Any = None) -> None:
    """Make the head for the vectors' width and the number of tags."""
    vectors, head = model.layers
    vectors.initialize(X=X)
    width = vectors.predict(X)[0].shape[1]
    shim = head.shims[0]
    device = shim.device  # asked for while there are no layers, which are made on the CPU
    # spaCy seeds NumPy and PyTorch before it initialises
    shim._model.build(width, model.get_dim("nO"))
    shim._model.to(device)


def forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[tuple[Any, Any], Callable[..., Any]]:
    """Score the tags of all documents' tokens."""
    to_vectors, head = model.layers
    vectors, backprop_vectors = to_vectors(docs, is_train)
    (scores, *learned), backprop_head = head(model.ops.flatten(vectors), is_train)
    transitions = learned[0] if learned else model.ops.alloc2f(*[scores.shape[1] + 1] * 2)

    def backprop(gradient: tuple[Any, Any]) -> Any:
        d_vectors = backprop_head(gradient if learned else gradient[:1])
        return backprop_vectors(model.ops.unflatten(d_vectors, [len(v) for v in vectors]))

    return (scores, transitions), backprop
