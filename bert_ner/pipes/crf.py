"""Tag sequences as a linear chain: the best legal one, and probabilities of mentions.

One chain serves two decoders. A conditional random field (CRF) scores a sequence y of n
tags with learned transitions,

    score(y) = sum(emissions[i, y[i]]) + sum(transitions[y[i-1], y[i]])

and the independent softmax decoder is the same chain with transitions of 0. In both, an
illegal transition scores minus infinity, so an illegal sequence is never decoded and has
no part in a probability: see tags.py.

With K tags, transitions have the shape (K + 1, K + 1): the last row is for the start of
a sequence, the last column for its end. Computations are in float64 with any
precision of the encoder.

Source: Lafferty, McCallum and Pereira, "Conditional Random Fields" (ICML 2001).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .tags import MISSING, Tagset

Mention = tuple[int, int, str, float]  # half-open token range, label, confidence
SpanLogProbabilities = Callable[[int, int, int], float]  # of row, start, end

MOST_POSITIONS = 16384  # positions that are decoded together, padding included
SHORT = 64  # tokens; sequences up to this length are grouped in any combination
LARGEST_SCORE = 50.0  # limit for scores of tags and transitions; a working model stays below 30
LARGEST_LOGARITHM = 700.0  # exp of more overflows float64


def finite(scores: Tensor) -> Tensor:
    """Scores in float64 on the CPU, clipped: half precision or a failed training overflow."""
    scores = scores.detach().cpu().double()
    return torch.nan_to_num(scores, nan=0.0).clamp(-LARGEST_SCORE, LARGEST_SCORE)


def sharpen(scores: Tensor, temperature: float) -> Tensor:
    """Divide scores by a temperature. The results are clipped, infinity is preserved."""
    divided = scores / temperature
    return torch.where(divided.isinf(), divided, divided.clamp(-LARGEST_SCORE, LARGEST_SCORE))


def viterbi(emissions: Tensor, lengths: Tensor, transitions: Tensor) -> list[list[int]]:
    """The best legal sequence of each row of a padded batch.

    emissions (Tensor): Scores of tags, (rows, longest, K).
    lengths (Tensor): Tokens of each row, at least 1, (rows,).
    transitions (Tensor): Transitions from `Tagset.constrain`.
    RETURNS (list[list[int]]): The columns of each row's tags.
    """
    inner, first, last = transitions[:-1, :-1], transitions[-1, :-1], transitions[:-1, -1]
    best = [first + emissions[:, 0]]
    for emission in emissions.unbind(1)[1:]:
        best.append((best[-1][:, :, None] + inner).amax(1) + emission)
    score = torch.stack(best).numpy()  # (longest, rows, K)
    rows, ends = np.arange(len(lengths)), lengths.numpy() - 1
    column = (score[ends, rows] + last.numpy()).argmax(1)
    path = np.empty(score.shape[:2], dtype=np.intp)
    into = inner.T.numpy()
    for t in range(len(score) - 1, 0, -1):
        path[t] = column
        before = (score[t - 1] + into[column]).argmax(1)
        column = np.where(t <= ends, before, column)
    path[0] = column
    return [path[: end + 1, row].tolist() for row, end in zip(rows, ends, strict=True)]


@dataclass(frozen=True)
class Lattice:
    """Logarithms of the sums over all sequences that start or end in a tag at a token.

    Values in padding have no meaning.

    emissions (Tensor): Scores of tags, (rows, longest, K).
    lengths (Tensor): Tokens of each row, (rows,).
    transitions (Tensor): Scores of transitions, (K + 1, K + 1).
    forward (Tensor): Sums over the start of the row up to a tag, (rows, longest, K).
    backward (Tensor): Sums over the rest of the row after a tag, (rows, longest, K).
    log_partition (Tensor): Sums over whole rows, (rows,).
    """

    emissions: Tensor
    lengths: Tensor
    transitions: Tensor
    forward: Tensor
    backward: Tensor
    log_partition: Tensor

    @property
    def inside(self) -> Tensor:
        """Whether a position is a token and not padding, (rows, longest)."""
        return torch.arange(self.emissions.shape[1]) < self.lengths[:, None]

    def marginals(self) -> Tensor:
        """The probability of each tag at each token, 0 in padding, (rows, longest, K)."""
        return self.log_marginals().masked_fill(~self.inside[:, :, None], -torch.inf).exp()

    def log_marginals(self) -> Tensor:
        """The logarithm of `marginals`, without meaning in padding."""
        return self.forward + self.backward - self.log_partition[:, None, None]

    def expected_transitions(self) -> Tensor:
        """The expected count of each transition in the whole batch, (K + 1, K + 1)."""
        counts = torch.zeros_like(self.transitions)
        marginals = self.marginals()
        rows = torch.arange(len(self.lengths))
        counts[-1, :-1] = marginals[:, 0].sum(0)
        counts[:-1, -1] = marginals[rows, self.lengths - 1].sum(0)
        after = self.emissions + self.backward - self.log_partition[:, None, None]
        inside = self.inside[:, 1:]
        before, after = self.forward[:, :-1][inside], after[:, 1:][inside]
        # exp(before + transition + after) as a product of matrices; `largest` avoids underflow
        largest = before.amax(1, keepdim=True)
        pairs = (before - largest).exp().T @ (after + largest).clamp(max=LARGEST_LOGARITHM).exp()
        counts[:-1, :-1] = pairs * self.transitions[:-1, :-1].exp()
        return counts

    def span_log_probabilities(self, path: Tensor, continuing: Tensor) -> SpanLogProbabilities:
        """The log probabilities of the mentions of a sequence.

        The probability of a mention is that of an event, not of one sequence: the tokens
        before and after it may have any legal tags that do not extend it.

        path (Tensor): Columns of each row's tags, O in padding, (rows, longest).
        continuing (Tensor): `Tagset.continuing`.
        RETURNS (Callable[[int, int, int], float]): From row, start and end to the
            log probability.
        """
        steps = self.emissions.gather(2, path[:, :, None])[:, :, 0]
        steps[:, 1:] += self.transitions[path[:, :-1], path[:, 1:]]
        walked = (steps * self.inside).cumsum(1)
        begin = self.forward.gather(2, path[:, :, None])[:, :, 0] - walked
        following = self.transitions[:-1, :-1][path[:, :-1]]
        following = following + (self.emissions + self.backward)[:, 1:]
        following = following.masked_fill(continuing[path[:, :-1]], -torch.inf).logsumexp(2)
        after = self.transitions[path, -1]
        after[:, :-1] = torch.where(self.inside[:, 1:], following, after[:, :-1])
        end_to = (after + walked - self.log_partition[:, None]).tolist()
        start_from = begin.tolist()
        return lambda row, start, end: start_from[row][start] + end_to[row][end - 1]


def forward_backward(emissions: Tensor, lengths: Tensor, transitions: Tensor) -> Lattice:
    """Sum over all legal sequences of each row of a padded batch.

    The arguments are those of `viterbi`.
    RETURNS (Lattice): The sums.
    """
    # The backward sums are forward sums over the reversed sequences: one loop makes both.
    inner, first, last = transitions[:-1, :-1], transitions[-1, :-1], transitions[:-1, -1]
    rows, longest, _ = emissions.shape
    position = torch.arange(longest)
    mirror = torch.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)
    row = torch.arange(rows)[:, None]
    steps = torch.stack([emissions, emissions[row, mirror]]).transpose(0, 2).transpose(1, 2)
    both = torch.stack([inner, inner.T])
    start = torch.stack([first, last])[:, None].expand(-1, rows, -1)
    reached = _sum_walks(start.numpy(), steps.contiguous().numpy(), both.numpy())
    before, after = torch.from_numpy(reached).transpose(1, 2).unbind(0)
    forward = before + emissions
    ends = forward[row[:, 0], lengths - 1]
    return Lattice(
        emissions=emissions,
        lengths=lengths,
        transitions=transitions,
        forward=forward,
        backward=after[row, mirror],
        log_partition=(ends + last).logsumexp(1),
    )


def _sum_walks(
    start: NDArray[np.float64], steps: NDArray[np.float64], transitions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithms of the sums over all walks that arrive at a tag, for each token.

    Relative to the most probable tag, a step is a product of matrices. A tag that is less
    probable by a factor of 1e-300 counts as impossible. With scores up to `LARGEST_SCORE`,
    this happens to no legal tag: each tag is reachable from any other in three steps.

    start (ndarray): Scores of the first tag, (2, rows, K).
    steps (ndarray): Scores of the tags of each token, (longest, 2, rows, K).
    transitions (ndarray): Scores of transitions, (2, K, K).
    RETURNS (ndarray): The sums, without the score of the token itself,
        (2, longest, rows, K).
    """
    reached = np.empty((2, len(steps), *start.shape[1:]))
    reached[:, 0] = start
    highest = transitions.max()
    factors = np.exp(transitions - highest)
    with np.errstate(divide="ignore"):  # the logarithm of 0
        for t, step in enumerate(steps[:-1]):
            walks = reached[:, t] + step
            best = np.maximum(walks.max(2, keepdims=True), -1e300)  # finite if none is legal
            walks = np.matmul(np.exp(walks - best), factors)
            reached[:, t + 1] = np.log(walks) + (best + highest)
    return reached


def pad(sequences: list[Tensor], value: float = 0.0) -> tuple[Tensor, Tensor]:
    """Pad sequences to the longest.

    sequences (list[Tensor]): Each (tokens, ...), at least one token long.
    value (float): Value of the padding.
    RETURNS (tuple[Tensor, Tensor]): (rows, longest, ...) and the lengths (rows,).
    """
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=value)
    return padded, lengths


def decode(
    emissions: list[Tensor], transitions: Tensor, tagset: Tagset, temperature: float = 1.0
) -> list[list[Mention]]:
    """The mentions of the best legal sequences, with their probabilities.

    emissions (list[Tensor]): Scores of tags, each (tokens, K).
    transitions (Tensor): Transitions from `Tagset.constrain`.
    tagset (Tagset): The tags.
    temperature (float): Divisor of the scores before they become probabilities (Guo et
        al., "On Calibration of Modern Neural Networks", ICML 2017). It does not change
        the best sequence.
    RETURNS (list[list[Mention]]): Half-open token ranges with label and probability.
    """
    mentions: list[list[Mention]] = [[] for _ in emissions]
    sharpened = sharpen(transitions, temperature)
    for group in group_by_length([len(scores) for scores in emissions]):
        padded, lengths = pad([finite(emissions[i]) for i in group])
        paths = viterbi(padded, lengths, transitions)
        lattice = forward_backward(sharpen(padded, temperature), lengths, sharpened)
        columns, _ = pad([torch.tensor(path) for path in paths])
        log_probability = lattice.span_log_probabilities(columns, tagset.continuing)
        for row, (i, path) in enumerate(zip(group, paths, strict=True)):
            for start, end, label in tagset.spans(path):
                confidence = math.exp(min(0.0, log_probability(row, start, end)))
                mentions[i].append((start, end, label, confidence))
    return mentions


def log_probabilities(
    emissions: list[Tensor], transitions: Tensor, columns: list[list[int]], temperature: float
) -> list[list[float]]:
    """The log probability of one tag for each token, over all legal sequences.

    emissions, transitions, temperature: As for `decode`.
    columns (list[list[int]]): The tags, one column for each token.
    RETURNS (list[list[float]]): Natural logarithms; 0 for a `MISSING` tag.
    """
    logarithms: list[list[float]] = [[] for _ in emissions]
    sharpened = sharpen(transitions, temperature)
    for group in group_by_length([len(scores) for scores in emissions]):
        padded, lengths = pad([finite(emissions[i]) for i in group])
        lattice = forward_backward(sharpen(padded, temperature), lengths, sharpened)
        tags, _ = pad([torch.tensor(columns[i]) for i in group])
        chosen = lattice.log_marginals().gather(2, tags.clamp(min=0)[:, :, None])[:, :, 0]
        chosen = chosen.masked_fill(tags == MISSING, 0.0)
        for row, i in enumerate(group):
            logarithms[i] = chosen[row, : lengths[row]].tolist()
    return logarithms


def group_by_length(lengths: list[int]) -> list[list[int]]:
    """Group sequences of similar length, to have little padding.

    lengths (list[int]): Tokens of each sequence. Empty sequences are in no group.
    RETURNS (list[list[int]]): Indices. A group of several sequences has at most
        `MOST_POSITIONS` positions, padding included. Unless all are `SHORT`, the longest is
        at most twice as long as the shortest.
    """
    groups: list[list[int]] = []
    for i in sorted((i for i, n in enumerate(lengths) if n), key=lambda i: -lengths[i]):
        longest = lengths[groups[-1][0]] if groups else 0
        full = not groups or longest * (len(groups[-1]) + 1) > MOST_POSITIONS
        if full or longest > max(SHORT, 2 * lengths[i]):
            groups.append([])
        groups[-1].append(i)
    return groups
