"""What a token classifier learns from: the mean loss of a token, and its gradient.

This file stands alone: `spacy package --code` copies it into the pipeline.
"""

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.util import registry
from torch import Tensor


def weigh_tags(gold: list[list[int]], tags: int, power: float) -> list[float]:
    """A weight for each tag, rarer ones weighing more, so that the mean over all tokens is 1.

    gold (list[list[int]]): The columns of each example's gold tags, negative where
        there is none.
    tags (int): How many tags there are.
    power (float): A tag's weight is its frequency to the power of minus this.
    RETURNS (list[float]): The weights.
    """
    counts: NDArray[np.float64] = np.ones(tags)  # no tag is without one
    for columns in gold:
        counts += np.bincount([column for column in columns if column >= 0], minlength=tags)
    weights: NDArray[np.float64] = counts**-power
    weights *= counts.sum() / (weights * counts).sum()
    return weights.tolist()


def softmax_loss(
    scores: Tensor, gold: list[Tensor], weights: list[float] | None
) -> tuple[float, Tensor]:
    """The cross entropy of each token by itself.

    scores (Tensor): Of all examples' tokens, one after the other, (tokens, K).
    gold (list[Tensor]): The columns of each example's gold tags; a negative one
        is missing, and its token does not count.
    weights (list[float] | None): A weight for each tag.
    RETURNS (tuple[float, Tensor]): The mean loss of a token, in nats, and its
        gradient.
    """
    columns = torch.cat(gold)
    known = columns >= 0
    target = columns.clamp(min=0)
    weight = known / max(1, int(known.sum()))
    if weights:
        weight = weight * torch.tensor(weights, dtype=scores.dtype)[target]
    log = scores.log_softmax(dim=1)
    loss = -(log.gather(1, target[:, None])[:, 0] * weight).sum()
    gradient = log.exp()
    gradient[torch.arange(len(target)), target] -= 1
    return float(loss), gradient * weight[:, None]


def crf_loss(
    scores: Tensor, constrained: Tensor, gold: list[Tensor]
) -> tuple[float, Tensor, Tensor]:
    """The negative log likelihood of each example's sequence of tags.

    scores (Tensor): Of all examples' tokens, one after the other, (tokens, K).
    constrained (Tensor): The transitions, as from `Tagset.constrain`.
    gold (list[Tensor]): The columns of each example's gold tags.
    RETURNS (tuple[float, Tensor, Tensor]): The mean loss of a token, in nats, and
        its gradients, of the scores and of the transitions.
    """
    chain = _linear_chain()
    padded, lengths = chain.pad(scores.split([len(columns) for columns in gold]))
    columns, _ = chain.pad(gold, value=-1)
    loss, d_scores, d_transitions = chain.crf_loss(padded, lengths, constrained, columns)
    inside = torch.arange(padded.shape[1]) < lengths[:, None]
    tokens = len(scores)
    return loss / tokens, d_scores[inside] / tokens, d_transitions / tokens


@cache  # a look-up searches everything that is installed, and takes its time
def _linear_chain() -> Any:
    """The functions of linear_chain.py."""
    return registry.misc.get("bert_ner.linear_chain.v1")()


class Loss:
    """What other files of the pipeline look up in the registry."""

    crf_loss = staticmethod(crf_loss)
    softmax_loss = staticmethod(softmax_loss)
    weigh_tags = staticmethod(weigh_tags)


def loss() -> type[Loss]:
    """Give the functions of this file to a file that cannot import it."""
    return Loss


# Every pipeline brings this file along, and the first one to be loaded registers.
if not registry.has("misc", "bert_ner.loss.v1"):
    registry.misc("bert_ner.loss.v1", func=loss)
