"""Fast dropout for training on a CPU.

PyTorch draws the random numbers of dropout on one core, a float for each value, and its
attention with dropout computes in float32. Together that takes a third of a training step.
Here a random byte decides on each value, and attention is computed in the precision of its
inputs.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

BYTES = 256
KNOWN = ("query", "key", "value", "attn_mask", "dropout_p", "scale")


class FastDropout(TorchFunctionMode):
    """Context manager that replaces PyTorch's dropout and attention.

    Probabilities are rounded to multiples of 1/256, 0.1 to 26/256. The other values are
    scaled by the rounded probability, which preserves the expected value. PyTorch's
    random generator, which spaCy seeds, seeds the bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bits = np.random.SFC64(int(torch.randint(2**63 - 1, ())))

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute dropout and attention here, and everything else with PyTorch."""
        kwargs = kwargs or {}
        if func is functional.dropout and _can_drop(kwargs.get("p", 0.5)):
            return self.dropout(*args, **kwargs)
        if func is functional.scaled_dot_product_attention and _can_attend(args, kwargs):
            return self.attention(*args, **{k: v for k, v in kwargs.items() if k in KNOWN})
        return func(*args, **kwargs)

    def dropout(
        self, values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        """As `torch.nn.functional.dropout`, but never in place."""
        dropped = _bytes(p) if training else 0
        return values * self.keep(values, dropped, BYTES / (BYTES - dropped)) if dropped else values

    def attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        *,
        scale: float | None = None,
    ) -> Tensor:
        """As `torch.nn.functional.scaled_dot_product_attention`, for encoders."""
        scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        scores = torch.matmul(query * scale, key.transpose(-1, -2))
        if attn_mask is not None:
            scores = scores + _additive(attn_mask, scores.dtype)
        weights = torch.softmax(scores, -1)
        if dropped := _bytes(dropout_p):
            weights = weights * self.keep(weights, dropped)
            value = value * (BYTES / (BYTES - dropped))
        return torch.matmul(weights, value)

    def keep(self, values: Tensor, dropped: int, scale: float = 1.0) -> Tensor:
        """A random mask to multiply values with: 0 for a dropped value, else the scale.

        values (Tensor): Values of any shape.
        dropped (int): Number of 256 values to drop on average.
        scale (float): Scale of the other values.
        RETURNS (Tensor): The mask, with the shape and type of the values.
        """
        count = values.numel()
        drawn = self.bits.random_raw(-(-count // 8)).view(np.uint8)[:count]
        mask = torch.empty(values.shape, dtype=values.dtype)
        torch.ge(torch.from_numpy(drawn).view(values.shape), dropped, out=mask)
        return mask.mul_(scale) if scale != 1 else mask


def _can_drop(p: float) -> bool:
    """Whether a probability can be rounded to a multiple of 1/256 other than 0 and 1."""
    return p == 0 or 1 / BYTES <= p <= 1 - 1 / BYTES


def _can_attend(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether attention is called with options that `FastDropout.attention` supports."""
    plain = not kwargs.get("is_causal") and not kwargs.get("enable_gqa") and len(args) <= 5
    return plain and _can_drop(kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0))


def _bytes(p: float) -> int:
    """The number of 256 values to drop, from a probability."""
    return min(BYTES - 1, round(p * BYTES))


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask to add to scores, from a boolean or an additive mask."""
    least = torch.finfo(dtype).min
    if mask.dtype == torch.bool:
        return torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, least)
    return mask.clamp(min=least).to(dtype)
