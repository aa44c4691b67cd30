"""The encoder as thinc runs it: a Hugging Face model that trains in whole or in part.

`bert_ner.TransformerModel.v2` runs it. The changes to an encoder before training are in
adapters.py, and its serialization is in storage.py.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import (
    _convert_transformer_inputs,
    _convert_transformer_outputs,
)
from thinc.api import ArgsKwargs, Model, Optimizer, get_torch_default_device
from thinc.layers.pytorchwrapper import forward as run_shim
from transformers import AutoConfig, AutoModel, PreTrainedModel

from . import adapters, packed_linear, storage
from .adam import Adam
from .adapters import LoraOptions
from .fast_dropout import FastDropout
from .onnx_encoder import make_onnx_encoder
from .storage import Settings

# oneDNN, which multiplies matrices for PyTorch, caches one primitive for every shape of a
# batch, up to 1,024 of them. Windows keep bringing new shapes, so the cache grows to hundreds
# of MB while a stream of texts is annotated. A batch needs a few dozen primitives. Both
# variables are read at the first multiplication.
for _variable, _capacity in (("ONEDNN_PRIMITIVE_CACHE_CAPACITY", 64), ("LRU_CACHE_CAPACITY", 16)):
    os.environ.setdefault(_variable, str(_capacity))


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Options for the training of an encoder.

    case_segments (bool): Whether the segment of a word piece is the case of its token.
    frozen_layers (int | None): Number of the lowest layers to freeze; 0 freezes the
        embeddings alone, None freezes nothing.
    frozen_steps (int): Number of steps at the start that do not train the encoder.
    lora (LoraOptions | None): Adapters to train in place of the encoder.
    mixed_precision (bool): Whether to compute in half precision on a GPU, and in
        bfloat16 on a CPU, there for training only.
    grad_scaler_config (Settings): Settings of the gradient scaler.
    """

    case_segments: bool = False
    frozen_layers: int | None = None
    frozen_steps: int = 0
    lora: LoraOptions | None = None
    mixed_precision: bool = False
    grad_scaler_config: Settings = field(default_factory=dict)


class Shim(HFShim):  # type: ignore[misc]  # spacy-transformers has no types
    """Interface between an encoder of Hugging Face and thinc.

    objects (HFObjects): The encoder and its tokenizer, which may both be None, and
        their settings.
    options (EncoderOptions): Options for training.
    """

    def __init__(self, objects: HFObjects, options: EncoderOptions) -> None:
        on_gpu = get_torch_default_device().type == "cuda"
        super().__init__(
            objects,
            mixed_precision=options.mixed_precision and on_gpu,
            grad_scaler_config=dict(options.grad_scaler_config),
        )
        self.options = options
        self.bf16 = options.mixed_precision and not on_gpu
        self.lora = options.lora  # None after `merge`
        self.steps = 0  # training steps since the shim was made
        self._adam: Adam | None = None
        self._packed = False  # whether the linear layers use packed weights

    @property
    def onnx(self) -> bytes | None:
        """The ONNX model that runs in place of the encoder, if there is one."""
        content: bytes | None = getattr(self._model, "content", None)
        return content

    @property
    def adam(self) -> Adam:
        """The optimizer of the encoder, made on first use."""
        if self._adam is None:
            self._adam = Adam(self._model)
        return self._adam

    def load(self, name: str) -> HFObjects:
        """Load a pretrained encoder and prepare it for training.

        name (str): A local folder or a name on the Hub.
        RETURNS (HFObjects): The encoder and its tokenizer. `replace` puts them to use.
        RAISES (ValueError): If the tokenizer is not a fast one, or the encoder does
            not support an option.
        """
        objects = storage.load_pretrained(name, self._hfmodel)
        if self.options.case_segments:
            adapters.add_case_segments(objects.transformer)
        self._prepare(objects.transformer)
        return objects

    def _prepare(self, encoder: PreTrainedModel) -> None:
        """Freeze what is not trained, add adapters and choose the device."""
        pooler = getattr(encoder, "pooler", None)  # summarizes a text; nothing uses it
        for parameter in pooler.parameters() if pooler is not None else ():
            parameter.requires_grad = False
        if self.options.frozen_layers is not None:
            adapters.freeze(encoder, self.options.frozen_layers)
        if self.lora:
            adapters.add_lora(encoder, self.lora)
        encoder.to(get_torch_default_device())

    def replace(self, objects: HFObjects) -> None:
        """Use another encoder and tokenizer from now on."""
        self._hfmodel = objects
        self._model = objects.transformer
        self._adam = None
        self._packed = False

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Run the encoder, with packed weights on a CPU. See packed_linear.py."""
        if not self._packed:
            packed_linear.pack(self._model)
            self._packed = True
        return super().predict(inputs)

    def unpack(self) -> None:
        """Let the encoder use its own weights again, before they change."""
        if self._packed:
            packed_linear.unpack(self._model)
            self._packed = False

    def __getstate__(self) -> Mapping[str, object]:
        """The state for copies and pickles, which cannot hold packed weights."""
        self.unpack()
        return self.__dict__

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[..., Any]]:
        """Run the encoder for training, without a graph if nothing of it is trained.

        RAISES (ValueError): If ONNX Runtime runs the encoder.
        """
        if self.onnx:
            raise ValueError(
                "ONNX Runtime runs this pipeline's encoder and cannot train it. "
                "Train the pipeline that it was made from."
            )
        self.unpack()
        trained = self.steps >= self.options.frozen_steps and any(
            parameter.requires_grad for parameter in self._model.parameters()
        )
        half = torch.autocast("cpu", enabled=self.bf16)
        with torch.set_grad_enabled(trained), half, self._dropout():
            output, backprop = super().begin_update(inputs)
        # the next layer uses NumPy, which has no bfloat16
        output.last_hidden_state = output.last_hidden_state.float()
        return output, backprop if trained else lambda grads: inputs

    def _dropout(self) -> AbstractContextManager[object]:
        """The implementation of dropout for training."""
        if next(self._model.parameters()).device.type != "cpu":
            return nullcontext()
        return FastDropout()

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the weights that have a gradient.

        For thinc's Adam (`Adam.v1` in a config), PyTorch updates all weights at once.

        optimizer (Optimizer): The optimizer, whose settings are used.
        """
        self.steps += 1
        self.unpack()  # an annotating component predicts during an update
        self.adam.fill_rows()
        if not self.adam.can_step(optimizer):
            super().finish_update(optimizer)
            return
        if not self._grad_scaler.found_inf:
            self.adam.step(optimizer)
        self._model.zero_grad()  # also after an overflow, which would spoil the next step
        self._grad_scaler.update()

    def merge(self) -> int:
        """Merge the adapters into the encoder's weights.

        RETURNS (int): Number of merged adapters.
        """
        self.unpack()
        self.lora = None
        return adapters.merge_lora(self._model)

    def to_bytes(self) -> bytes:
        """Serialize settings, configuration, tokenizer and weights."""
        return storage.to_bytes(self._hfmodel, self.lora, self.onnx)

    def from_bytes(self, bytes_data: bytes) -> "Shim":
        """Load the output of `to_bytes`.

        RAISES (ValueError): If a weight is missing or unexpected.
        """
        message = storage.read_message(bytes_data)
        settings = HFObjects(
            None, None, None, message["tokenizer_config"], message["transformer_config"]
        )
        if "weights" not in message:
            self._hfmodel = settings
            return self
        self.lora = storage.read_lora(message["lora"])
        config = AutoConfig.for_model(**message["config"])
        if content := message.get("onnx"):
            encoder = make_onnx_encoder(config, content)
        else:
            encoder = AutoModel.from_config(config)
            self._prepare(encoder)
            storage.load_weights(encoder, message["weights"])
        tokenizer = storage.read_tokenizer(message["tokenizer"])
        self.replace(storage.with_settings(settings, tokenizer, encoder))
        return self

    def put_onnx(self, content: bytes) -> None:
        """Let ONNX Runtime run the encoder from now on. See onnx_encoder.py.

        content (bytes): The ONNX model of this encoder.
        """
        old = self._hfmodel
        encoder = make_onnx_encoder(old.transformer.config, content)
        self.replace(storage.with_settings(old, old.tokenizer, encoder))


def make_encoder(settings: HFObjects, options: EncoderOptions) -> Model[Any, Any]:
    """Build the layer that runs an encoder.

    settings (HFObjects): The settings of tokenizer and encoder, which are loaded later.
    options (EncoderOptions): Options for training.
    RETURNS (Model[WordpieceBatch, BaseModelOutput]): The layer.
    """
    return Model(
        "hf-pytorch",
        run_shim,
        attrs={
            "convert_inputs": _convert_transformer_inputs,
            "convert_outputs": _convert_transformer_outputs,
        },
        shims=[Shim(settings, options)],
        dims={"nI": None, "nO": None},
    )
