"""The training loss: the mean loss of a token, and its gradient.

The gradient of the CRF is expected counts minus observed counts: Sutton and McCallum, "An
Introduction to Conditional Random Fields" (2012), section 5.1.
"""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import crf
from .tags import MISSING, Tagset


def weigh_tags(gold: list[list[int]], tags: int, power: float) -> list[float]:
    """Weigh rare tags more than frequent ones. The mean weight of all tokens is 1.

    gold (list[list[int]]): Columns of each example's gold tags, negative if missing.
    tags (int): Number of tags.
    power (float): The weight of a tag is its frequency to the power of minus this.
    RETURNS (list[float]): One weight for each tag.
    """
    counts: NDArray[np.float64] = np.ones(tags)  # so that no tag has a count of 0
    for columns in gold:
        counts += np.bincount([column for column in columns if column >= 0], minlength=tags)
    weights: NDArray[np.float64] = counts**-power
    weights *= counts.sum() / (weights * counts).sum()
    return cast(list[float], weights.tolist())


def token_loss(
    scores: Tensor,
    transitions: Tensor,
    gold: list[Tensor],
    *,
    tagset: Tagset,
    decoder: str,
    weights: list[float] | None,
) -> tuple[float, Tensor, Tensor]:
    """The mean loss of a token in nats, with the loss function of a decoder.

    scores (Tensor): Scores of all examples' tokens, concatenated, (tokens, K).
    transitions (Tensor): Scores of transitions, (K + 1, K + 1).
    gold (list[Tensor]): Columns of each example's gold tags, negative if missing.
    tagset (Tagset): The tags.
    decoder (str): "crf" or "softmax".
    weights (list[float] | None): A weight for each tag, for softmax only.
    RETURNS (tuple[float, Tensor, Tensor]): The loss, and its gradients with respect to
        scores and transitions.
    """
    if decoder == "crf":
        return crf_loss(scores, tagset.constrain(transitions), gold)
    mean_loss, d_scores = softmax_loss(scores, gold, weights)
    return mean_loss, d_scores, torch.zeros_like(transitions)


def softmax_loss(
    scores: Tensor, gold: list[Tensor], weights: list[float] | None
) -> tuple[float, Tensor]:
    """The cross entropy of independent tokens.

    scores (Tensor): Scores of all examples' tokens, concatenated, (tokens, K).
    gold (list[Tensor]): Columns of each example's gold tags. Tokens with a negative
        column have no gold tag and do not count.
    weights (list[float] | None): A weight for each tag.
    RETURNS (tuple[float, Tensor]): The mean loss of a token in nats, and its gradient.
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
    """The negative log likelihood of each example's tag sequence.

    scores (Tensor): Scores of all examples' tokens, concatenated, (tokens, K).
    constrained (Tensor): Transitions from `Tagset.constrain`.
    gold (list[Tensor]): Columns of each example's gold tags.
    RETURNS (tuple[float, Tensor, Tensor]): The mean loss of a token in nats, and its
        gradients with respect to scores and transitions.
    """
    padded, lengths = crf.pad(list(torch.split(scores, [len(columns) for columns in gold])))
    columns, _ = crf.pad(gold, value=MISSING)
    loss, d_scores, d_transitions = sequence_loss(padded, lengths, constrained, columns)
    inside = torch.arange(padded.shape[1]) < lengths[:, None]
    tokens = len(scores)
    return loss / tokens, d_scores[inside] / tokens, d_transitions / tokens


def score_path(
    emissions: Tensor, lengths: Tensor, transitions: Tensor, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """Score one sequence for each row.

    emissions (Tensor): Scores of tags, (rows, longest, K).
    lengths (Tensor): Tokens of each row, at least 1, (rows,).
    transitions (Tensor): Transitions from `Tagset.constrain`.
    columns (Tensor): Columns of each row's tags, any value in padding, (rows, longest).
    RETURNS (tuple[Tensor, Tensor]): The scores, minus infinity for an illegal sequence,
        (rows,), and the number of uses of each transition in the batch, (K + 1, K + 1).
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
    """The negative log likelihood of a batch and its gradients.

    A row with an illegal gold sequence does not count. If gold tags are missing, the
    likelihood is that of all sequences that agree with the known tags (Bellare and
    McCallum, "Learning Extractors from Unlabeled Text using Relevant Databases", 2007).

    emissions, lengths, transitions: As for `score_path`.
    gold (Tensor): Columns of tags, `MISSING` if unknown, (rows, longest).
    RETURNS (tuple[float, Tensor, Tensor]): The sum over the batch, and its gradients with
        respect to emissions, (rows, longest, K), and transitions, (K + 1, K + 1).
    """
    free = crf.forward_backward(emissions, lengths, transitions)
    if (gold[free.inside] != MISSING).all():
        columns = gold.masked_fill(~free.inside, 0)
        score, counts = score_path(emissions, lengths, transitions, columns)
        if score.isfinite().all():
            taken = torch.nn.functional.one_hot(columns, emissions.shape[2])
            return (
                float((free.log_partition - score).sum()),
                free.marginals() - taken * free.inside[:, :, None],
                free.expected_transitions() - counts,
            )
    agrees = (torch.arange(emissions.shape[2]) == gold[:, :, None]) | (gold == MISSING)[:, :, None]
    bound = crf.forward_backward(emissions.masked_fill(~agrees, -torch.inf), lengths, transitions)
    legal = bound.log_partition.isfinite()
    if not legal.all():
        return _loss_of_rows(legal, emissions, lengths, transitions, gold)
    return (
        float((free.log_partition - bound.log_partition).sum()),
        free.marginals() - bound.marginals(),
        free.expected_transitions() - bound.expected_transitions(),
    )


def _loss_of_rows(
    rows: Tensor, emissions: Tensor, lengths: Tensor, transitions: Tensor, gold: Tensor
) -> tuple[float, Tensor, Tensor]:
    """The loss of some rows only, a mask of shape (rows,). See `sequence_loss`."""
    d_emissions = torch.zeros_like(emissions)
    if not rows.any():
        return 0.0, d_emissions, torch.zeros_like(transitions)
    loss, d_rows, d_transitions = sequence_loss(
        emissions[rows], lengths[rows], transitions, gold[rows]
    )
    d_emissions[rows] = d_rows
    return loss, d_emissions, d_transitions
