"""Dropout that costs little on a CPU, for training.

PyTorch draws dropout's random numbers on one core, a float for each value, and
its attention, asked to drop, computes everything in float32: together that was
a third of a training step. Here a value is dropped by a random byte, and
attention is written out, in the precision that it is called in.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

BYTES = 256
KNOWN = ("query", "key", "value", "attn_mask", "dropout_p", "scale")


class FastDropout(TorchFunctionMode):
    """Inside `with FastDropout():` PyTorch's dropout and attention are done by this file.

    A value is dropped with a probability of a multiple of 1/256: 26/256 for 0.1. What
    stays is scaled by just that, so that the expected value is right. PyTorch's random
    generator, which spaCy seeds, seeds the bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bits = np.random.SFC64(int(torch.randint(2**63 - 1, ())))

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Do dropout and attention, and leave the rest to PyTorch."""
        kwargs = kwargs or {}
        if func is functional.dropout and _can_drop(kwargs.get("p", 0.5)):
            return self.dropout(*args, **kwargs)
        if func is functional.scaled_dot_product_attention and _can_attend(args, kwargs):
            return self.attention(*args, **{k: v for k, v in kwargs.items() if k in KNOWN})
        return func(*args, **kwargs)

    def dropout(
        self, values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        """As `torch.nn.functional.dropout`. Nothing is done in place."""
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
        """What to multiply values with: 0 where one is dropped, else the scale.

        values (Tensor): Values of any shape.
        dropped (int): How many of 256 are dropped.
        scale (float): What stays is scaled by.
        RETURNS (Tensor): Of the values' shape and type.
        """
        count = values.numel()
        drawn = self.bits.random_raw(-(-count // 8)).view(np.uint8)[:count]
        mask = torch.empty(values.shape, dtype=values.dtype)
        torch.ge(torch.from_numpy(drawn).view(values.shape), dropped, out=mask)
        return mask.mul_(scale) if scale != 1 else mask


def _can_drop(p: float) -> bool:
    """Whether a multiple of 1/256 is near enough."""
    return p == 0 or 1 / BYTES <= p <= 1 - 1 / BYTES


def _can_attend(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    plain = not kwargs.get("is_causal") and not kwargs.get("enable_gqa") and len(args) <= 5
    return plain and _can_drop(kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0))


def _bytes(p: float) -> int:
    """How many of 256 are dropped, for a probability."""
    return min(BYTES - 1, round(p * BYTES))


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask that is added to scores, from one of either kind."""
    least = torch.finfo(dtype).min
    if mask.dtype == torch.bool:
        return torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, least)
    return mask.clamp(min=least).to(dtype)
