"""A transformer model that reads each token once, where it has most context.

It replaces `spacy-transformers.TransformerModel.v3` in a config and feeds the same
listeners. The differences:

- The tokenizer itself aligns word pieces with tokens: see wordpieces.py.
- `case_segments` restores the case that an uncased vocabulary drops.
- The encoder can be frozen or adapted in part, and its weights are stored as
  safetensors: see encoder.py.
"""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from spacy_transformers.data_classes import FullTransformerBatch, HFObjects, WordpieceBatch
from spacy_transformers.layers.transformer_model import TransformerModel
from thinc.api import CupyOps, Model, torch2xp
from transformers.modeling_outputs import BaseModelOutput

from . import wordpieces
from .adapters import LoraOptions
from .encoder import EncoderOptions, make_encoder
from .storage import Settings
from .windows import SpanGetter

# Positions that the encoder reads at once, padding included: few enough for the caches of a
# processor, many enough to keep a GPU busy. Second, the cost of one call in positions.
ON_CPU, TRAINING, ON_GPU = (2048, 32), (2048, 64), (65536, 8192)


class EncoderModel(TransformerModel):  # type: ignore[misc]  # spacy-transformers has no types
    """The model of spacy-transformers' `transformer` component. See `make_transformer_model`.

    name (str): The pretrained encoder that `initialize` loads.
    get_spans (SpanGetter): The span getter.
    encoder (Model): The layer that runs the encoder.
    case_segments (bool): Whether the segment of a word piece is the case of its token.
    """

    def __init__(
        self, name: str, get_spans: SpanGetter, encoder: Model[Any, Any], *, case_segments: bool
    ) -> None:
        Model.__init__(
            self,
            "transformer",
            forward,
            init=init,
            layers=[encoder],
            dims={"nO": None},
            attrs={
                "get_spans": get_spans,
                "name": name,
                "set_transformer": set_transformer,
                "has_transformer": False,
                "flush_cache_chance": 0.0,
                "replace_listener": refuse_replacing,
                "replace_listener_cfg": refuse_replacing,
                "case_segments": case_segments,
            },
        )

    def copy(self) -> "EncoderModel":
        """Copy the model and its encoder. The copy has its own `model.id`."""
        copied = EncoderModel(
            self.attrs["name"],
            self.attrs["get_spans"],
            self.layers[0].copy(),
            case_segments=self.attrs["case_segments"],
        )
        copied.attrs.update(self.attrs)
        if self.has_dim("nO"):
            copied.set_dim("nO", self.get_dim("nO"))
        return copied


def make_transformer_model(
    name: str,
    get_spans: SpanGetter,
    tokenizer_config: Settings | None = None,
    transformer_config: Settings | None = None,
    mixed_precision: bool = False,
    grad_scaler_config: Settings | None = None,
    case_segments: bool = False,
    frozen_layers: int | None = None,
    frozen_steps: int = 0,
    lora_rank: int = 0,
    lora_alpha: float = 16.0,
) -> EncoderModel:
    """Build a transformer model for spacy-transformers' `transformer` component.

    name (str): The encoder: a local folder or a name on the Hub.
    get_spans (Callable): The span getter. Its spans may overlap, and each token must be
        in at least one of them.
    tokenizer_config (dict | None): Settings of the tokenizer.
    transformer_config (dict | None): Settings of the encoder.
    mixed_precision, grad_scaler_config, case_segments, frozen_layers, frozen_steps: See
        `EncoderOptions`. Mixed precision saves time on a CPU with instructions for bfloat16.
    lora_rank (int): Rank of the adapters, 0 for none. Training needs peft.
    lora_alpha (float): Scale of the adapters' output, multiplied by the rank.
    RETURNS (EncoderModel): The model, without an encoder until it is initialized or loaded.
    """
    settings = {"use_fast": True, **(tokenizer_config or {})}
    encoder = make_encoder(
        HFObjects(None, None, None, settings, dict(transformer_config or {})),
        EncoderOptions(
            case_segments=case_segments,
            frozen_layers=frozen_layers,
            frozen_steps=frozen_steps,
            lora=LoraOptions(rank=lora_rank, alpha=lora_alpha) if lora_rank else None,
            mixed_precision=mixed_precision,
            grad_scaler_config=grad_scaler_config or {},
        ),
    )
    return EncoderModel(name, get_spans, encoder, case_segments=case_segments)


def make_transformer_model_v1(
    name: str,
    get_spans: SpanGetter,
    tokenizer_config: Settings | None = None,
    transformer_config: Settings | None = None,
    mixed_precision: bool = False,
    grad_scaler_config: Settings | None = None,
    case_segments: bool = False,
    word_dropout: float = 0.0,
    frozen_layers: int | None = None,
    frozen_steps: int = 0,
    lora_rank: int = 0,
    lora_alpha: float = 16.0,
) -> EncoderModel:
    """Build the model for a config that names version 1. See `make_transformer_model`.

    word_dropout (float): Ignored. It hid tokens during training, which did not raise F1.
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
    """Refuse to give a component an encoder that it does not share.

    RAISES (ValueError): Always.
    """
    raise ValueError(
        "bert_ner.TransformerModel cannot replace a listener. "
        "Source the transformer together with the component that listens to it."
    )


def set_transformer(model: Model, objects: HFObjects) -> None:
    """Give the model its encoder and tokenizer.

    RAISES (ValueError): If the model has an encoder.
    """
    if model.attrs["has_transformer"]:
        raise ValueError("the transformer model has an encoder already")
    model.layers[0].shims[0].replace(objects)
    model.attrs["has_transformer"] = True
    model.set_dim("nO", objects.transformer.config.hidden_size)


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the pretrained encoder, unless the model has one."""
    if not model.attrs["has_transformer"]:
        set_transformer(model, model.layers[0].shims[0].load(model.attrs["name"]))


def forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[FullTransformerBatch, Callable[[FullTransformerBatch], list[Doc]]]:
    """Cut documents into windows and encode all of them."""
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
    encoder: Model[WordpieceBatch, BaseModelOutput], pieces: WordpieceBatch, is_train: bool
) -> tuple[BaseModelOutput, Callable[[BaseModelOutput], object]]:
    """Encode windows of similar length together, and restore their order.

    encoder (Model): The encoder.
    pieces (WordpieceBatch): The windows, padded to the longest.
    is_train (bool): Whether a gradient will be needed.
    RETURNS (tuple[BaseModelOutput, Callable]): `last_hidden_state`, (windows, longest,
        width), with 0 in padding if there are several groups; and the callback for the
        gradient.
    """
    on_gpu = isinstance(encoder.ops, CupyOps)
    size, call = ON_GPU if on_gpu else TRAINING if is_train else ON_CPU
    groups = wordpieces.group_by_length(pieces.lengths, size, call)
    if len(groups) == 1 or (is_train and on_gpu):  # on a GPU, a gradient can be unscaled only once
        output, backprop = encoder(pieces, is_train)
        return output, backprop
    hidden, callbacks = None, []
    for rows in groups:
        output, backprop = encoder(wordpieces.take(pieces, rows), is_train)
        part = output.last_hidden_state.detach()
        if hidden is None:
            hidden = part.new_zeros((*pieces.input_ids.shape, part.shape[-1]))
        hidden[rows, : part.shape[1]] = part
        callbacks.append((rows, part.shape[1], backprop))

    def backprop_groups(gradient: BaseModelOutput) -> None:
        for rows, longest, backprop in callbacks:
            backprop(BaseModelOutput(last_hidden_state=gradient[0][rows, :longest]))

    return BaseModelOutput(last_hidden_state=hidden), backprop_groups
