"""An encoder that sees case, can be frozen or adapted in part, and trains fast.

It is what `bert_ner.TransformerModel.v1` runs: a model of Hugging Face, wrapped
for thinc. Its weights are stored as safetensors, and a missing or unexpected
one is an error. What the switches change of it is in adaptation.py.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import safetensors.torch
import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.hf_wrapper import HFWrapper
from spacy_transformers.layers.transformer_model import (
    _convert_transformer_inputs,
    _convert_transformer_outputs,
    huggingface_from_pretrained,
)
from thinc.api import ArgsKwargs, Model, Optimizer, get_torch_default_device
from transformers import AutoConfig, AutoModel, AutoTokenizer

from . import adapters, packed_linear
from .adam import Adam
from .fast_dropout import FastDropout
from .onnx_encoder import make_onnx_encoder

# oneDNN, with which PyTorch multiplies, keeps what it has made for every shape of a batch,
# up to 1,024 of them, and windows bring ever new ones: hundreds of MB, and growing for as
# long as a stream lasts. A batch needs some dozen. They are read at the first multiplication.
for setting, kept in (("ONEDNN_PRIMITIVE_CACHE_CAPACITY", 64), ("LRU_CACHE_CAPACITY", 16)):
    os.environ.setdefault(setting, str(kept))


class Shim(HFShim):
    """Trains the encoder in whole or in part, and stores it as safetensors."""

    case_segments: bool
    frozen_layers: int | None
    frozen_steps: int
    lora: dict[str, Any]  # rank and alpha while there are adapters, else empty
    bf16: bool  # compute in bfloat16 while training, on a CPU
    steps = 0  # made so far
    _adam: Adam | None = None
    _packed = False  # whether the encoder's weights are packed, which they are for predictions

    @property
    def onnx(self) -> bytes | None:
        """The ONNX model that runs in the encoder's place, if one does. See onnx_encoder.py."""
        content: bytes | None = getattr(self._model, "content", None)
        return content

    @property
    def adam(self) -> Adam:
        """The optimizer of adam.py, once the encoder is trained."""
        if self._adam is None:
            self._adam = Adam(self._model)
        return self._adam

    def load(self, name: str) -> HFObjects:
        """Load a pretrained encoder and prepare it as the switches say.

        name (str): A local folder or a name on the Hub.
        RETURNS (HFObjects): The encoder and its tokenizer.
        RAISES (ValueError): If its tokenizer is no fast one, or it cannot do what
            a switch asks for.
        """
        tokenizer_config = self._hfmodel._init_tokenizer_config
        transformer_config = self._hfmodel._init_transformer_config
        objects = huggingface_from_pretrained(name, tokenizer_config, transformer_config)
        if getattr(objects.tokenizer, "add_prefix_space", True) is False:
            # RoBERTa's takes tokens only if each is to begin like a word after a space
            tokenizer_config = {**tokenizer_config, "add_prefix_space": True}
            objects = huggingface_from_pretrained(name, tokenizer_config, transformer_config)
        if not objects.tokenizer.is_fast:
            raise ValueError(f"{name}: has no fast tokenizer, which says what is a word")
        if self.case_segments:
            adapters.add_case_segments(objects.transformer)
        self._prepare(objects.transformer)
        return objects

    def _prepare(self, encoder: Any) -> None:
        """Say what of an encoder is trained."""
        pooler = getattr(encoder, "pooler", None)  # of the whole text, which nothing reads
        for parameter in pooler.parameters() if pooler is not None else ():
            parameter.requires_grad = False
        if self.frozen_layers is not None:
            adapters.freeze(encoder, self.frozen_layers)
        if self.lora:
            adapters.add_lora(encoder, self.lora)
        encoder.to(get_torch_default_device())

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Run the encoder, on a CPU with its weights packed. See packed_linear.py."""
        if not self._packed:
            packed_linear.pack(self._model)
            self._packed = True
        return super().predict(inputs)

    def unpack(self) -> None:
        """Let the encoder use its own weights again, before they change."""
        if self._packed:
            packed_linear.unpack(self._model)
            self._packed = False

    def __getstate__(self) -> dict[str, Any]:
        """What a copy is made of. Packed weights cannot be copied."""
        self.unpack()
        return self.__dict__

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[..., Any]]:
        """Run the encoder for training, without a graph where nothing would be trained.

        RAISES (ValueError): If ONNX Runtime runs it.
        """
        if self.onnx:
            raise ValueError(
                "ONNX Runtime runs this pipeline's encoder, which cannot be trained there. "
                "Train the pipeline that it was made from."
            )
        self.unpack()
        trained = self.steps >= self.frozen_steps and any(
            parameter.requires_grad for parameter in self._model.parameters()
        )
        half = torch.autocast("cpu", enabled=self.bf16)
        with torch.set_grad_enabled(trained), half, self._dropout():
            output, backprop = super().begin_update(inputs)
        # NumPy, to which it goes from here, has no bfloat16
        output.last_hidden_state = output.last_hidden_state.float()
        return output, backprop if trained else lambda grads: inputs

    def _dropout(self) -> AbstractContextManager[Any]:
        """How to drop while training. See cheap_dropout.py."""
        if next(self._model.parameters()).device.type != "cpu":
            return nullcontext()
        return FastDropout()

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update what is trained. What is frozen has no gradient, and does not move.

        Adam of thinc, in a config `Adam.v1`, is done by PyTorch in one go for all
        weights. See adam.py.

        optimizer (Optimizer): The optimizer, whose settings are taken.
        """
        self.steps += 1
        self.unpack()  # an update may have predicted, for a component that annotates
        self.adam.fill_rows()
        if not self.adam.can_step(optimizer):
            super().finish_update(optimizer)
            return
        if not self._grad_scaler.found_inf:
            self.adam.step(optimizer)
        self._model.zero_grad()  # also what has overflowed, which would spoil the next step
        self._grad_scaler.update()

    def merge(self) -> int:
        """Merge the adapters. See `merge_lora` in adaptation.py."""
        self.unpack()
        self.lora = {}
        return adapters.merge_lora(self._model)

    def to_bytes(self) -> bytes:
        """Serialise configuration, tokenizer and weights."""
        objects = self._hfmodel
        message: dict[str, Any] = {
            "tokenizer_config": dict(objects._init_tokenizer_config),
            "transformer_config": dict(objects._init_transformer_config),
        }
        if objects.transformer is not None:
            with tempfile.TemporaryDirectory() as folder:
                objects.tokenizer.save_pretrained(folder)
                files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
            state = {k: v.contiguous().cpu() for k, v in self._model.state_dict().items()}
            message |= {
                "config": objects.transformer.config.to_dict(),
                "tokenizer": files,
                "lora": self.lora,
                "onnx": self.onnx,
                "weights": safetensors.torch.save(state),
            }
        return srsly.msgpack_dumps(message)

    def from_bytes(self, bytes_data: bytes) -> "Shim":
        """Load what `to_bytes` wrote.

        RAISES (ValueError): If a weight is missing or one is there that does not belong.
        """
        message = srsly.msgpack_loads(bytes_data)
        configs = message["tokenizer_config"], message["transformer_config"]
        if "weights" not in message:
            self._hfmodel = HFObjects(None, None, None, *configs)
            return self
        with tempfile.TemporaryDirectory() as folder:
            for name, content in message["tokenizer"].items():
                (Path(folder) / Path(name).name).write_bytes(content)
            tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True)
        config = AutoConfig.for_model(**message["config"])
        self.lora = message["lora"]
        if content := message.get("onnx"):
            encoder = make_onnx_encoder(config, content)
            self._replace(HFObjects(tokenizer, encoder, None, *configs))
            return self
        encoder = AutoModel.from_config(config)
        self._prepare(encoder)
        _load_weights(encoder, safetensors.torch.load(message["weights"]))
        self._replace(HFObjects(tokenizer, encoder, None, *configs))
        return self

    def _replace(self, objects: HFObjects) -> None:
        self._hfmodel = objects
        self._model = objects.transformer
        self._adam = None
        self._packed = False

    def put_onnx(self, content: bytes) -> None:
        """Let ONNX Runtime run the encoder from here on. See onnx_encoder.py.

        content (bytes): The ONNX model of this encoder.
        """
        old = self._hfmodel
        configs = old._init_tokenizer_config, old._init_transformer_config
        encoder = make_onnx_encoder(old.transformer.config, content)
        self._replace(HFObjects(old.tokenizer, encoder, None, *configs))


def _load_weights(encoder: Any, state: dict[str, torch.Tensor]) -> None:
    try:
        encoder.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"the encoder's weights do not fit: {error}") from error


def make_encoder(
    hf_objects: HFObjects,
    *,
    case_segments: bool,
    frozen_layers: int | None,
    frozen_steps: int,
    lora: dict[str, Any],
    mixed_precision: bool,
    grad_scaler_config: dict[str, Any],
) -> Model[Any, Any]:
    """Wrap an encoder, which `load` brings later. See `make_transformer_model`."""
    on_gpu = get_torch_default_device().type == "cuda"
    shim = Shim(
        hf_objects,
        mixed_precision=mixed_precision and on_gpu,
        grad_scaler_config=grad_scaler_config,
    )
    shim.bf16 = mixed_precision and not on_gpu
    shim.case_segments = case_segments
    shim.frozen_layers = frozen_layers
    shim.frozen_steps = frozen_steps
    shim.lora = lora
    wrapper = HFWrapper(
        hf_objects,
        convert_inputs=_convert_transformer_inputs,
        convert_outputs=_convert_transformer_outputs,
    )
    wrapper.shims[0] = shim
    return wrapper
