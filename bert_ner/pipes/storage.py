"""Loading and saving of an encoder and its tokenizer.

Weights are stored as safetensors and the tokenizer as the files that it saves. A missing
or unexpected weight is an error.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Required, TypedDict, cast

import safetensors.torch
import srsly
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from transformers import AutoTokenizer, PreTrainedModel

from .adapters import LoraOptions

Settings = dict[str, Any]  # keyword arguments of a class of Hugging Face


class StoredLora(TypedDict, total=False):
    """Serialized `LoraOptions`; empty if there are no adapters."""

    rank: int
    alpha: float


class StoredEncoder(TypedDict, total=False):
    """Serialized encoder. An encoder that is not initialized has settings only."""

    tokenizer_config: Required[Settings]
    transformer_config: Required[Settings]
    config: Settings
    tokenizer: dict[str, bytes]  # file name to contents
    lora: StoredLora
    onnx: bytes | None
    weights: bytes


def load_pretrained(name: str, settings: HFObjects) -> HFObjects:
    """Load a pretrained encoder and its tokenizer.

    name (str): A local folder or a name on the Hub.
    settings (HFObjects): Objects that hold the settings of tokenizer and encoder.
    RETURNS (HFObjects): The encoder and its tokenizer, with the same settings.
    RAISES (ValueError): If the tokenizer is not a fast one.
    """
    tokenizer_config = settings._init_tokenizer_config
    transformer_config = settings._init_transformer_config
    objects = huggingface_from_pretrained(name, tokenizer_config, transformer_config)
    if getattr(objects.tokenizer, "add_prefix_space", True) is False:
        # RoBERTa's tokenizer takes separate tokens only if each starts like a word after a space
        spaced = {**tokenizer_config, "add_prefix_space": True}
        objects = huggingface_from_pretrained(name, spaced, transformer_config)
    if not objects.tokenizer.is_fast:
        raise ValueError(f"{name}: has no fast tokenizer, which aligns word pieces with tokens")
    return with_settings(settings, objects.tokenizer, objects.transformer)


def with_settings(settings: HFObjects, tokenizer: Any, encoder: Any) -> HFObjects:
    """Combine a tokenizer and an encoder with the settings of other objects."""
    configs = settings._init_tokenizer_config, settings._init_transformer_config
    return HFObjects(tokenizer, encoder, None, *configs)


def to_bytes(objects: HFObjects, lora: LoraOptions | None, onnx: bytes | None) -> bytes:
    """Serialize settings, configuration, tokenizer and weights.

    objects (HFObjects): The encoder and its tokenizer.
    lora (LoraOptions | None): The encoder's adapters.
    onnx (bytes | None): The ONNX model that runs in place of the encoder.
    RETURNS (bytes): A msgpack of `StoredEncoder`.
    """
    message: StoredEncoder = {
        "tokenizer_config": dict(objects._init_tokenizer_config),
        "transformer_config": dict(objects._init_transformer_config),
    }
    encoder = objects.transformer
    if encoder is not None:
        with tempfile.TemporaryDirectory() as folder:
            objects.tokenizer.save_pretrained(folder)
            files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
        state = {k: v.contiguous().cpu() for k, v in encoder.state_dict().items()}
        message["config"] = encoder.config.to_dict()
        message["tokenizer"] = files
        message["lora"] = {"rank": lora.rank, "alpha": lora.alpha} if lora else {}
        message["onnx"] = onnx
        message["weights"] = safetensors.torch.save(state)
    return cast(bytes, srsly.msgpack_dumps(message))


def read_message(content: bytes) -> StoredEncoder:
    """Read the output of `to_bytes`."""
    return cast(StoredEncoder, srsly.msgpack_loads(content))


def read_lora(stored: StoredLora) -> LoraOptions | None:
    """Read the size of the adapters, None if there are none."""
    return LoraOptions(rank=stored["rank"], alpha=stored["alpha"]) if stored else None


def read_tokenizer(files: Mapping[str, bytes]) -> Any:
    """Load a fast tokenizer from the contents of its files, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / Path(name).name).write_bytes(content)
        return AutoTokenizer.from_pretrained(folder, use_fast=True)


def load_weights(encoder: PreTrainedModel, content: bytes) -> None:
    """Load an encoder's weights from safetensors.

    RAISES (ValueError): If a weight is missing or unexpected.
    """
    state: dict[str, torch.Tensor] = safetensors.torch.load(content)
    try:
        encoder.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"the encoder's weights do not fit: {error}") from error
