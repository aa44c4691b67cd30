"""Linear layers that predict on a CPU with weights laid out for it.

PyTorch multiplies float32 matrices with MKL, which leaves half of what a processor
of AMD can do unused. oneDNN, which comes with PyTorch as well, does not, once the
weights are in the order in which it reads them. The results differ by rounding alone.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

TYPICAL_ROWS = 2048  # word pieces of a group: see `ON_CPU` in transformer.py


def can_pack() -> bool:
    """Whether this PyTorch has oneDNN's linear layer. It is what PyTorch's compiler uses."""
    names = ("_linear_pointwise", "_reorder_linear_weight")
    has_ops = all(hasattr(torch.ops.mkldnn, name) for name in names)
    return torch.backends.mkldnn.is_available() and has_ops


def pack(encoder: nn.Module) -> None:
    """Let linear layers use packed copies of their weights, for predictions.

    The layers' own weights stay as they are, and are used again after `unpack`.

    encoder (nn.Module): The encoder. Only float32 on the CPU is packed.
    """
    if not can_pack():
        return
    for layer in encoder.modules():
        if type(layer) is nn.Linear and _fits(layer.weight):
            packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), TYPICAL_ROWS)
            layer.forward = partial(_multiply, packed, layer)  # type: ignore[method-assign]


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
    found: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, packed, layer.bias, "none", [], "")
    return found
