"""The model of `token_classifier_ner`: from vectors of tokens to scores of tags."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import safetensors.torch
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import ArgsKwargs, Model, PyTorchWrapper_v3, concatenate, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn

from .crf import finite
from .tags import tagset

ACTIVATIONS = {"none": nn.Identity, "tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}
DECODERS = ("softmax", "crf")

TagScores = tuple[Floats2d, Floats2d]  # (tokens, K) of all documents, and (K + 1, K + 1)


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """Options of a token classifier.

    hidden_width (int): Width of a hidden layer, 0 for a linear head.
    activation (str): Activation of the hidden layer: none, tanh, relu or gelu.
    dropout (float): Dropout of the vectors and of the hidden layer, from 0 to below 1.
    decoder (str): "softmax" trains each token independently, "crf" whole sequences with
        transitions between tags. Both decode legal sequences only. If in doubt, use "crf".
    scheme (str): The tag scheme, "biluo" or "iob2".
    shape_width (int): Width of embeddings of word shape and suffix, which are
        concatenated to the vectors; 0 for none.
    pos_width (int): Width of embeddings of part-of-speech tags, which are concatenated
        to the vectors; 0 for none. A `tagger` earlier in the pipeline must set the tags,
        during training as well: see configs/pos.cfg.
    class_weight (float): The loss of a token is weighted by the frequency of its gold tag
        to the power of minus this. 0 means no weight, 0.5 a mild and 1 a full balance.
        For softmax only.
    rate (float): Learning rate as a multiple of the optimizer's, which suits a pretrained
        encoder. This model starts from random weights.
    RAISES (ValueError): If an option is not as described.
    """

    hidden_width: int
    activation: str
    dropout: float
    decoder: str
    scheme: str
    shape_width: int
    pos_width: int
    class_weight: float
    rate: float

    def __post_init__(self) -> None:
        tagset((), self.scheme)  # raises for an unknown scheme
        for key, value, known in (
            ("activation", self.activation, ACTIVATIONS),
            ("decoder", self.decoder, DECODERS),
        ):
            if value not in known:
                raise ValueError(f'{key} = "{value}": expected one of {", ".join(known)}')
        numbers = (self.hidden_width, self.shape_width, self.pos_width, self.class_weight)
        if min(numbers) < 0 or not 0 <= self.dropout < 1:
            raise ValueError(
                "widths and class_weight must be 0 or more, and dropout from 0 to below 1"
            )
        if self.rate <= 0:
            raise ValueError(f"rate = {self.rate}: expected a number above 0")
        if self.class_weight and self.decoder != "softmax":
            raise ValueError('class_weight needs decoder = "softmax": a CRF weighs whole sequences')


class Head(nn.Module):
    """Scores of tags from vectors of tokens, and transitions for a CRF.

    `build` makes the layers, because their sizes are not known before initialization.
    """

    def __init__(self, options: ClassifierOptions) -> None:
        super().__init__()
        self.hidden_width = options.hidden_width
        self.activation = ACTIVATIONS[options.activation]()
        self.dropout = nn.Dropout(options.dropout)
        self.crf = options.decoder == "crf"

    def build(self, width: int, tags: int) -> None:
        """Make the layers.

        width (int): Width of the vectors.
        tags (int): Number of tags.
        """
        if self.hidden_width:
            self.hidden = nn.Linear(width, self.hidden_width)
        self.output = nn.Linear(self.hidden_width or width, tags)
        nn.init.normal_(self.output.weight, std=0.02)
        nn.init.zeros_(self.output.bias)
        if self.crf:
            self.transitions = nn.Parameter(torch.zeros(tags + 1, tags + 1))

    def forward(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """Score the tags of each token, (tokens, K). A CRF adds transitions (K + 1, K + 1)."""
        if self.hidden_width:
            vectors = self.activation(self.hidden(self.dropout(vectors)))
        scores = self.output(self.dropout(vectors))
        return (scores, self.transitions) if self.crf else (scores,)


def _convert_outputs(
    model: Model, inputs_outputs: tuple[Any, tuple[Tensor, ...]], is_train: bool
) -> tuple[tuple[Any, ...], Callable[..., ArgsKwargs]]:
    """Convert several tensors; thinc's own function takes one."""
    _, tensors = inputs_outputs

    def reverse(gradients: tuple[Any, ...]) -> ArgsKwargs:
        converted = tuple(xp2torch(g, device=tensors[0].device) for g in gradients)
        return ArgsKwargs(args=(tensors,), kwargs={"grad_tensors": converted})

    return tuple(torch2xp(tensor) for tensor in tensors), reverse


def _save_head(head: Head) -> bytes:
    state = {name: tensor.contiguous().cpu() for name, tensor in head.state_dict().items()}
    return cast(bytes, safetensors.torch.save(state))


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
    tok2vec: Model[list[Doc], list[Floats2d]],
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
) -> Model[list[Doc], TagScores]:
    """Build the model of `token_classifier_ner`.

    tok2vec (Model[list[Doc], list[Floats2d]]): Vectors of tokens, usually
        `bert_ner.TransformerListener.v1`, which pools word pieces.
    nO (int | None): Number of tags, known after initialization.
    Other arguments: See `ClassifierOptions`.
    RETURNS (Model[list[Doc], tuple[Floats2d, Floats2d]]): Scores of tags for the tokens
        of all documents, concatenated, (tokens, K), and transitions, (K + 1, K + 1).
    RAISES (ValueError): If an option is not as described.
    """
    options = ClassifierOptions(
        hidden_width=hidden_width,
        activation=activation,
        dropout=dropout,
        decoder=decoder,
        scheme=scheme,
        shape_width=shape_width,
        pos_width=pos_width,
        class_weight=class_weight,
        rate=rate,
    )
    return _build_classifier(tok2vec, options, nO)


def _build_classifier(
    tok2vec: Model[list[Doc], list[Floats2d]], options: ClassifierOptions, tags: int | None
) -> Model[list[Doc], TagScores]:
    embed = registry.architectures.get("spacy.MultiHashEmbed.v2")
    features = []
    if options.shape_width:
        features.append(embed(options.shape_width, ["SHAPE", "SUFFIX"], [1000, 2000], False))
    if options.pos_width:
        features.append(embed(options.pos_width, ["TAG"], [200], False))
    head = PyTorchWrapper_v3(
        Head(options),
        convert_outputs=_convert_outputs,
        serialize_model=_save_head,
        deserialize_model=_load_head,
    )
    return Model(
        "token_classifier",
        forward,
        init=init,
        layers=[concatenate(tok2vec, *features) if features else tok2vec, head],
        dims={"nO": tags},
        refs={"tok2vec": tok2vec},
        attrs={
            "decoder": options.decoder,
            "scheme": options.scheme,
            "class_weight": options.class_weight,
            "needs_tags": options.pos_width > 0,
            "rate": options.rate,
        },
    )


def init(model: Model, X: list[Doc], Y: Any = None) -> None:
    """Make the head for the width of the vectors and the number of tags."""
    vectors, head = model.layers
    vectors.initialize(X=X)
    width = vectors.predict(X)[0].shape[1]
    shim = head.shims[0]
    device = shim.device  # before the layers exist: they are made on the CPU
    # spaCy has seeded NumPy and PyTorch
    shim._model.build(width, model.get_dim("nO"))
    shim._model.to(device)


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[TagScores, Callable[..., Any]]:
    """Score the tags of the tokens of all documents."""
    to_vectors, head = model.layers
    vectors, backprop_vectors = to_vectors(docs, is_train)
    (scores, *learned), backprop_head = head(model.ops.flatten(vectors), is_train)
    transitions = learned[0] if learned else model.ops.alloc2f(*[scores.shape[1] + 1] * 2)

    def backprop(gradient: TagScores) -> Any:
        d_vectors = backprop_head(gradient if learned else gradient[:1])
        return backprop_vectors(model.ops.unflatten(d_vectors, [len(v) for v in vectors]))

    return (scores, transitions), backprop


def to_torch(scores: TagScores) -> tuple[Tensor, Tensor]:
    """Scores of tags and transitions, finite and in float64 on the CPU."""
    tags, transitions = scores
    return finite(xp2torch(tags)), finite(xp2torch(transitions))
