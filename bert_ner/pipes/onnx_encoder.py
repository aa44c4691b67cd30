"""An encoder that ONNX Runtime runs, in place of PyTorch.

`bert_ner.packaging.quantize` makes it: its weights are 8-bit integers, with which a processor
that has instructions for them (VNNI) is up to twice as fast. It cannot be trained,
and runs on a CPU alone.
"""

import os
from typing import Any

import torch
from thinc.api import get_torch_default_device
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"
SLOW = ["SkipLayerNormFusion"]  # what it makes takes five times as long as what it replaces


class OnnxEncoder(nn.Module):
    """Takes the place of a Hugging Face encoder.

    config (PretrainedConfig): The encoder's configuration.
    content (bytes): The ONNX model, from some of `INPUTS`, each (windows, longest),
        to `OUTPUT`, (windows, longest, width).
    """

    def __init__(self, config: Any, content: bytes) -> None:
        super().__init__()
        self.config = config
        self.content = content
        self._session: Any = None
        self._process = 0

    @property
    def device(self) -> torch.device:
        """Where the inputs must be."""
        return torch.device("cpu")

    @property
    def session(self) -> Any:
        """The session of this process: its threads do not survive a fork."""
        if self._process != os.getpid():
            self._session = _make_session(self.content)
            self._process = os.getpid()
        return self._session

    def __getstate__(self) -> dict[str, Any]:
        """What a copy gets, which makes a session of its own."""
        return {**self.__dict__, "_session": None, "_process": 0}

    def forward(self, **inputs: Tensor) -> BaseModelOutput:
        """Run the encoder. The arguments are those of `INPUTS` that it has."""
        session = self.session
        wanted = [given.name for given in session.get_inputs()]
        (hidden,) = session.run([OUTPUT], {name: _typed(name, inputs[name]) for name in wanted})
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
    # threads that wait do not take the processor from what runs between two batches
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW
    )


def make_onnx_encoder(config: Any, content: bytes) -> OnnxEncoder:
    """Make the encoder. See `OnnxEncoder`.

    RAISES (ValueError): On a GPU, where it does not run.
    """
    if get_torch_default_device().type != "cpu":
        raise ValueError(
            "this pipeline was made for a CPU: load it without spacy.require_gpu(), "
            "and use commands with --gpu-id=-1"
        )
    return OnnxEncoder(config, content)
