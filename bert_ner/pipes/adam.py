"""Adam for a whole encoder in one go, and a gradient of word pieces that is by row.

A batch has some hundred different word pieces, but PyTorch makes the gradient of
their embedding as large as the vocabulary and sets all of it to 0, in each step
anew: with an encoder of MiniLM's size that was a quarter of a step. Here it makes
only the rows that were read, which go into a gradient that stays.
"""

import torch
from thinc.api import Optimizer
from torch import Tensor, nn
from transformers import PreTrainedModel


class Adam:
    """PyTorch's Adam with the settings of thinc's, for all weights of an encoder.

    encoder (PreTrainedModel): The encoder. On a CPU its embedding of word pieces gives
        sparse gradients from here on, which `fill_rows` makes dense.
    """

    def __init__(self, encoder: PreTrainedModel) -> None:
        self.encoder = encoder
        self.table = encoder.get_input_embeddings()
        if isinstance(self.table, nn.Embedding) and self.table.weight.device.type == "cpu":
            self.table.sparse = True
        self._gradient: Tensor | None = None  # of the table, kept from step to step
        self._filled: Tensor | None = None  # which of its rows are not 0
        self._adam: torch.optim.AdamW | None = None

    def fill_rows(self) -> None:
        """Make the table's gradient a dense one, which any optimizer can use."""
        weight = self.table.weight
        if weight.grad is None or not weight.grad.is_sparse:
            return
        read = weight.grad.coalesce()
        if self._gradient is None:
            self._gradient = torch.zeros_like(weight)
        if self._filled is not None:
            self._gradient[self._filled] = 0.0
        self._filled = read.indices()[0]
        self._gradient[self._filled] = read.values()
        weight.grad = self._gradient

    @staticmethod
    def can_step(optimizer: Optimizer) -> bool:
        """Whether an optimizer of thinc is nothing but Adam with decoupled weight decay."""
        coupled = optimizer.L2 and not optimizer.L2_is_weight_decay
        other = optimizer.use_radam or optimizer.averages is not None or not optimizer.b1
        return not (coupled or other)

    def step(self, optimizer: Optimizer) -> None:
        """Update what has a gradient, which is clipped as a whole, as is usual in fine-tuning.

        optimizer (Optimizer): Adam of thinc, whose present settings are taken.
        """
        if optimizer.grad_clip:
            nn.utils.clip_grad_norm_(self.encoder.parameters(), optimizer.grad_clip)
        if self._adam is None:
            self._adam = torch.optim.AdamW(self.encoder.parameters(), fused=True)
        for group in self._adam.param_groups:
            group["lr"] = optimizer.learn_rate
            group["betas"] = (optimizer.b1, optimizer.b2)
            group["eps"] = optimizer.eps
            group["weight_decay"] = optimizer.L2
        self._adam.step()
