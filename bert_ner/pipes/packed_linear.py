"""Linear layers with weights in the memory layout that is fastest on a CPU.

PyTorch multiplies float32 matrices with MKL, which uses half the speed of a processor from
AMD. oneDNN, which PyTorch includes too, uses all of it if the weights are in the order in
which it reads them. The results differ by rounding only.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

TYPICAL_ROWS = 2048  # word pieces of a group: see `ON_CPU` in transformer.py


def can_pack() -> bool:
    """Whether this PyTorch has oneDNN's linear layer, which PyTorch's compiler uses as well."""
    names = ("_linear_pointwise", "_reorder_linear_weight")
    has_ops = all(hasattr(torch.ops.mkldnn, name) for name in names)
    is_available = cast(Callable[[], bool], torch.backends.mkldnn.is_available)
    return is_available() and has_ops


def pack(encoder: nn.Module) -> None:
    """Let linear layers predict with packed copies of their weights.

    The layers' own weights do not change, and are used again after `unpack`.

    encoder (nn.Module): The encoder. Only float32 weights on the CPU are packed.
    """
    if not can_pack():
        return
    for layer in encoder.modules():
        if type(layer) is nn.Linear and _fits(layer.weight):
            packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), TYPICAL_ROWS)
            layer.__dict__["forward"] = partial(_multiply, packed, layer)


def unpack(encoder: nn.Module) -> None:
    """Undo `pack`, before weights change."""
    for layer in encoder.modules():
        if type(layer) is nn.Linear:
            layer.__dict__.pop("forward", None)


def _fits(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32


def _multiply(packed: Tensor, layer: nn.Linear, inputs: Tensor) -> Tensor:
    if inputs.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return functional.linear(inputs, layer.weight, layer.bias)
    output = torch.ops.mkldnn._linear_pointwise(inputs, packed, layer.bias, "none", [], "")
    return cast(Tensor, output)
