"""An encoder that sees case, and can be frozen or adapted in part.

It is what `bert_ner.TransformerModel.v1` runs: a model of Hugging Face, wrapped
for thinc. Its weights are stored as safetensors, and a missing or unexpected
one is an error.

This file stands alone: `spacy package --code` copies it into the pipeline.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import srsly
import torch
from spacy.util import registry
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.hf_wrapper import HFWrapper
from spacy_transformers.layers.transformer_model import (
    _convert_transformer_inputs,
    _convert_transformer_outputs,
    huggingface_from_pretrained,
)
from thinc.api import ArgsKwargs, Model, Optimizer, get_torch_default_device
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

CASES = 6  # classes of case: see `case_of` in transformer.py
SEGMENTS = "token_type_embeddings"  # what BERT calls its segment table


def add_case_segments(encoder: Any) -> None:
    """Extend the encoder's segment table to one row for each class of case.

    Every row starts as a copy of row 0, the one that a single text has, so that
    the encoder says the same as before until it is trained.

    encoder (PreTrainedModel): The encoder, changed in place.
    RAISES (ValueError): If it has no segment table.
    """
    parents = [m for m in encoder.modules() if isinstance(getattr(m, SEGMENTS, None), nn.Embedding)]
    if not parents:
        raise ValueError(
            f"case_segments needs an encoder with a segment table, as BERT has; "
            f"{encoder.config.model_type} has none. Set case_segments = false."
        )
    old = getattr(parents[0], SEGMENTS).weight
    table = nn.Embedding(CASES, old.shape[1])
    table.weight.data = old.data[:1].repeat(CASES, 1).clone()
    setattr(parents[0], SEGMENTS, table.to(old.device))
    encoder.config.type_vocab_size = CASES


def freeze(encoder: Any, layers: int) -> None:
    """Freeze the embeddings and the lowest layers, but for the cases' segments.

    encoder (PreTrainedModel): The encoder, changed in place.
    layers (int): How many layers; 0 freezes the embeddings alone.
    RAISES (ValueError): If the encoder has fewer layers.
    """
    total = encoder.config.num_hidden_layers
    if not 0 <= layers <= total:
        raise ValueError(f"frozen_layers = {layers}: the encoder has {total} layers")
    stacks = [m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == total]
    if not stacks or not hasattr(encoder, "embeddings"):
        raise ValueError(
            f"frozen_layers: cannot tell the layers of {encoder.config.model_type} apart"
        )
    for module in (encoder.embeddings, *stacks[0][:layers]):
        for name, parameter in module.named_parameters():
            parameter.requires_grad = _tells_case(name, parameter)


def _tells_case(name: str, parameter: nn.Parameter) -> bool:
    """Whether these are the rows that `add_case_segments` has added, which are yet to learn."""
    return SEGMENTS in name and len(parameter) == CASES


def add_lora(encoder: Any, lora: dict[str, Any]) -> None:
    """Put low-rank adapters beside the attention's weights and freeze the rest.

    The cases' segments go on learning. Source: Hu et al., "LoRA: Low-Rank
    Adaptation of Large Language Models" (ICLR 2022), through peft.

    encoder (PreTrainedModel): The encoder, changed in place.
    lora (dict[str, Any]): rank and alpha.
    RAISES (ValueError): If peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ValueError("lora_rank needs peft: pip install 'en_bert_ner_project[lora]'") from error
    targets = ["query", "key", "value", "q", "k", "v", "q_lin", "k_lin", "v_lin"]
    present = {name.rsplit(".")[-1] for name, _ in encoder.named_modules()}
    config = LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=0.1,
        target_modules=sorted(present.intersection(targets)),
    )
    inject_adapter_in_model(config, encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = "lora_" in name or _tells_case(name, parameter)


def merge_lora(encoder: Any) -> int:
    """Add the adapters to the weights beside them, and take the adapters away.

    encoder (PreTrainedModel): The encoder, changed in place.
    RETURNS (int): How many adapters were merged.
    """
    merged = 0
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "lora_A") and hasattr(child, "get_base_layer"):
                child.merge()
                setattr(parent, name, child.get_base_layer())
                merged += 1
    return merged


class Shim(HFShim):
    """Trains the encoder in whole or in part, and stores it as safetensors."""

    case_segments: bool
    frozen_layers: int | None
    frozen_steps: int
    lora: dict[str, Any]  # rank and alpha while there are adapters, else empty
    steps = 0  # made so far

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
            add_case_segments(objects.transformer)
        self._prepare(objects.transformer)
        return objects

    def _prepare(self, encoder: Any) -> None:
        """Say what of an encoder is trained."""
        pooler = getattr(encoder, "pooler", None)  # of the whole text, which nothing reads
        for parameter in pooler.parameters() if pooler is not None else ():
            parameter.requires_grad = False
        if self.frozen_layers is not None:
            freeze(encoder, self.frozen_layers)
        if self.lora:
            add_lora(encoder, self.lora)
        encoder.to(get_torch_default_device())

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[..., Any]]:
        """Run the encoder for training, without a graph where nothing would be trained."""
        if self.steps >= self.frozen_steps and any(
            parameter.requires_grad for parameter in self._model.parameters()
        ):
            return super().begin_update(inputs)
        self._model.train()
        with torch.no_grad(), torch.autocast("cuda", enabled=self._mixed_precision):
            return self._model(*inputs.args, **inputs.kwargs), lambda grads: inputs

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update what is trained. What is frozen has no gradient, and does not move."""
        self.steps += 1
        super().finish_update(optimizer)

    def merge(self) -> int:
        """Merge the adapters. See `merge_lora`."""
        self.lora = {}
        return merge_lora(self._model)

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
        encoder = AutoModel.from_config(AutoConfig.for_model(**message["config"]))
        self.lora = message["lora"]
        self._prepare(encoder)
        _load_weights(encoder, safetensors.torch.load(message["weights"]))
        self._hfmodel = HFObjects(tokenizer, encoder, None, *configs)
        self._model = encoder
        return self


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
    shim = Shim(hf_objects, mixed_precision=mixed_precision, grad_scaler_config=grad_scaler_config)
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


# Every pipeline brings this file along, and the first one to be loaded registers.
if not registry.has("misc", "bert_ner.encoder.v1"):
    registry.misc("bert_ner.encoder.v1", func=make_encoder)
