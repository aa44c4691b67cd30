"""An encoder that runs with ONNX Runtime in place of PyTorch.

`bert_ner.packaging.quantize` makes it. Its weights are 8-bit integers, which are up to twice
as fast on a processor with instructions for them (VNNI). It runs on CPUs only and cannot be
trained.
"""

import os
from collections.abc import Mapping
from typing import Any

import torch
from thinc.api import get_torch_default_device
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"
SLOW = ["SkipLayerNormFusion"]  # its operator takes five times as long as the ones it replaces


class OnnxEncoder(nn.Module):
    """Drop-in replacement for a Hugging Face encoder.

    config (PretrainedConfig): The encoder's configuration.
    content (bytes): The ONNX model, from some or all of `INPUTS`, each (windows,
        longest), to `OUTPUT`, (windows, longest, width).
    """

    def __init__(self, config: Any, content: bytes) -> None:
        super().__init__()
        self.config = config
        self.content = content
        self._session: Any = None
        self._process = 0

    @property
    def device(self) -> torch.device:
        """The device of inputs and output."""
        return torch.device("cpu")

    @property
    def session(self) -> Any:
        """The session of this process. Its threads do not survive a fork."""
        if self._process != os.getpid():
            self._session = _make_session(self.content)
            self._process = os.getpid()
        return self._session

    def __getstate__(self) -> Mapping[str, object]:
        """The state for copies and pickles, which make their own session."""
        return {**self.__dict__, "_session": None, "_process": 0}

    def forward(self, **inputs: Tensor) -> BaseModelOutput:
        """Run the encoder. Inputs that the ONNX model does not have are ignored."""
        session = self.session
        names = [node.name for node in session.get_inputs()]
        (hidden,) = session.run([OUTPUT], {name: _typed(name, inputs[name]) for name in names})
        return BaseModelOutput(last_hidden_state=torch.from_numpy(hidden))


def _typed(name: str, values: Tensor) -> Any:
    kind = torch.float32 if name == "attention_mask" else torch.int64
    return values.to(kind).contiguous().numpy()


def _make_session(content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "this pipeline's encoder needs ONNX Runtime: pip install onnxruntime"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # waiting threads leave the processor to the code between two batches
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW
    )


def make_onnx_encoder(config: Any, content: bytes) -> OnnxEncoder:
    """Make the encoder. See `OnnxEncoder`.

    RAISES (ValueError): If the process uses a GPU.
    """
    if get_torch_default_device().type != "cpu":
        raise ValueError(
            "this pipeline was made for a CPU: load it without spacy.require_gpu(), "
            "and use commands with --gpu-id=-1"
        )
    return OnnxEncoder(config, content)
