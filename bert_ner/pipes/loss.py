"""What a token classifier learns from: the mean loss of a token, and its gradient.

That of a CRF's is that of Sutton and McCallum, "An Introduction to Conditional
Random Fields" (2012), section 5.1: expected counts less observed counts.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import crf
from .tags import MISSING


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
    padded, lengths = crf.pad(scores.split([len(columns) for columns in gold]))
    columns, _ = crf.pad(gold, value=MISSING)
    loss, d_scores, d_transitions = sequence_loss(padded, lengths, constrained, columns)
    inside = torch.arange(padded.shape[1]) < lengths[:, None]
    tokens = len(scores)
    return loss / tokens, d_scores[inside] / tokens, d_transitions / tokens


def score_path(
    emissions: Tensor, lengths: Tensor, transitions: Tensor, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """The score of one sequence for each row.

    emissions (Tensor): Scores of tags, (rows, longest, K).
    lengths (Tensor): Tokens of each row, at least 1, (rows,).
    transitions (Tensor): As from `Tagset.constrain`.
    columns (Tensor): The columns of each row's tags, anything in padding, (rows, longest).
    RETURNS (tuple[Tensor, Tensor]): The scores, minus infinity of what is not legal,
        (rows,), and how often each transition is taken in the whole batch (K + 1, K + 1).
    """
    rows, end = torch.arange(len(lengths)), len(transitions) - 1
    inside = torch.arange(emissions.shape[1]) < lengths[:, None]
    edge = torch.full((len(lengths), 1), end)
    before = torch.cat([edge, columns[:, :-1]], dim=1)
    last = columns[rows, lengths - 1]
    steps = emissions.gather(2, columns[:, :, None])[:, :, 0] + transitions[before, columns]
    score = steps.masked_fill(~inside, 0.0).sum(1) + transitions[last, end]
    counts = torch.zeros_like(transitions)
    one = torch.ones((), dtype=counts.dtype)
    counts.index_put_((before[inside], columns[inside]), one, accumulate=True)
    counts.index_put_((last, edge[:, 0]), one, accumulate=True)
    return score, counts


def sequence_loss(
    emissions: Tensor, lengths: Tensor, transitions: Tensor, gold: Tensor
) -> tuple[float, Tensor, Tensor]:
    """The negative log-likelihood of a batch and its gradients.

    A row whose gold tags are no legal sequence does not count. Where gold tags are
    missing, it is the likelihood of all sequences that agree
    with what is there (Bellare and McCallum, "Learning Extractors from Unlabeled
    Text using Relevant Databases", 2007).

    emissions, lengths, transitions: As for `score_path`.
    gold (Tensor): Columns of tags, `MISSING` where unknown, (rows, longest).
    RETURNS (tuple[float, Tensor, Tensor]): The sum over the batch, its gradient
        with respect to the emissions (rows, longest, K), and with respect to the
        transitions (K + 1, K + 1).
    """
    free = crf.forward_backward(emissions, lengths, transitions)
    inside = free.inside
    if (gold[inside] != MISSING).all():
        columns = gold.masked_fill(~inside, 0)
        score, counts = score_path(emissions, lengths, transitions, columns)
        if score.isfinite().all():
            taken = torch.nn.functional.one_hot(columns, emissions.shape[2]) * inside[:, :, None]
            return (
                float((free.log_partition - score).sum()),
                free.marginals() - taken,
                free.expected_transitions() - counts,
            )
    agrees = (torch.arange(emissions.shape[2]) == gold[:, :, None]) | (gold == MISSING)[:, :, None]
    bound = crf.forward_backward(emissions.masked_fill(~agrees, -torch.inf), lengths, transitions)
    if not (legal := bound.log_partition.isfinite()).all():
        if not legal.any():
            return 0.0, torch.zeros_like(emissions), torch.zeros_like(transitions)
        loss, d_legal, d_transitions = sequence_loss(
            emissions[legal], lengths[legal], transitions, gold[legal]
        )
        d_emissions = torch.zeros_like(emissions)
        d_emissions[legal] = d_legal
        return loss, d_emissions, d_transitions
    return (
        float((free.log_partition - bound.log_partition).sum()),
        free.marginals() - bound.marginals(),
        free.expected_transitions() - bound.expected_transitions(),
    )
