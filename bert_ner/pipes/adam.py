"""Adam for all weights of an encoder at once, with a sparse gradient of the embedding.

A batch has a few hundred different word pieces, but PyTorch allocates and zeroes a gradient
for the whole vocabulary in each step, a quarter of a step's time with MiniLM. Here it makes
only the rows that the batch reads, and they are copied into a gradient that is reused.
"""

import torch
from thinc.api import Optimizer
from torch import Tensor, nn
from transformers import PreTrainedModel


class Adam:
    """PyTorch's Adam with the settings of thinc's, for all weights of an encoder.

    encoder (PreTrainedModel): The encoder. On a CPU its embedding of word pieces gets
        sparse gradients from now on, which `fill_rows` makes dense.
    """

    def __init__(self, encoder: PreTrainedModel) -> None:
        self.encoder = encoder
        self.table = encoder.get_input_embeddings()
        if isinstance(self.table, nn.Embedding) and self.table.weight.device.type == "cpu":
            self.table.sparse = True
        self._gradient: Tensor | None = None  # of the table, reused in every step
        self._filled: Tensor | None = None  # its rows that are not 0
        self._adam: torch.optim.AdamW | None = None

    def fill_rows(self) -> None:
        """Make the table's gradient dense, for any optimizer."""
        weight = self.table.weight
        if weight.grad is None or not weight.grad.is_sparse:
            return
        rows = weight.grad.coalesce()
        if self._gradient is None:
            self._gradient = torch.zeros_like(weight)
        if self._filled is not None:
            self._gradient[self._filled] = 0.0
        self._filled = rows.indices()[0]
        self._gradient[self._filled] = rows.values()
        weight.grad = self._gradient

    @staticmethod
    def can_step(optimizer: Optimizer) -> bool:
        """Whether an optimizer of thinc is plain Adam, with decoupled weight decay if any."""
        coupled = optimizer.L2 and not optimizer.L2_is_weight_decay
        other = optimizer.use_radam or optimizer.averages is not None or not optimizer.b1
        return not (coupled or other)

    def step(self, optimizer: Optimizer) -> None:
        """Update the weights that have a gradient. Clipping is by the norm of all gradients.

        optimizer (Optimizer): thinc's Adam, whose current settings are used.
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
