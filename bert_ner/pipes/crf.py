"""Tag sequences as a linear chain: which are legal, the best one, and how probable.

One chain serves two decoders. A conditional random field (CRF) scores a
sequence y of n tags with learned transitions,

    score(y) = sum(emissions[i, y[i]]) + sum(transitions[y[i-1], y[i]])

and the independent softmax decoder is the same chain with transitions of 0.
In both a forbidden transition scores minus infinity, so that no illegal
sequence is ever decoded and none takes part in a probability: see tagset.py.

With K tags, transitions have the shape (K + 1, K + 1): the last row holds what
may begin a sequence, the last column what may end one. Everything is computed
in float64, whatever the encoder's precision.

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

SpanLogProbabilities = Callable[[int, int, int], float]

MOST_POSITIONS = 16384  # tokens that are decoded together, padding included
SHORT = 64  # tokens; sequences up to here are not kept apart for their length
LARGEST_SCORE = 50.0  # of a tag or a transition; a model that works has none beyond 30
LARGEST_LOGARITHM = 700.0  # of a number that is not infinite


def finite(scores: Tensor) -> Tensor:
    """Scores in float64 on the CPU, cut off where an overflow or a failed training has led."""
    scores = scores.detach().cpu().double()
    return torch.nan_to_num(scores, nan=0.0).clamp(-LARGEST_SCORE, LARGEST_SCORE)


def sharpen(scores: Tensor, temperature: float) -> Tensor:
    """Divide finite scores by a temperature, cut off in the same way."""
    divided = scores / temperature
    return torch.where(divided.isinf(), divided, divided.clamp(-LARGEST_SCORE, LARGEST_SCORE))


def viterbi(emissions: Tensor, lengths: Tensor, transitions: Tensor) -> list[list[int]]:
    """The best legal sequence of each row of a padded batch.

    emissions (Tensor): Scores of tags, (rows, longest, K).
    lengths (Tensor): Tokens of each row, at least 1, (rows,).
    transitions (Tensor): As from `Tagset.constrain`.
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
    """The sums over all sequences that begin or end in a tag at a token, as logarithms.

    They have no meaning in padding.
    """

    emissions: Tensor  # (rows, longest, K)
    lengths: Tensor  # (rows,)
    transitions: Tensor  # (K + 1, K + 1)
    forward: Tensor  # of everything up to a token and its tag, (rows, longest, K)
    backward: Tensor  # of everything after a token, given its tag, (rows, longest, K)
    log_partition: Tensor  # (rows,)

    @property
    def inside(self) -> Tensor:
        """Which tokens are no padding, (rows, longest)."""
        return torch.arange(self.emissions.shape[1]) < self.lengths[:, None]

    def marginals(self) -> Tensor:
        """The probability of each tag at each token, 0 in padding, (rows, longest, K)."""
        return self.log_marginals().masked_fill(~self.inside[:, :, None], -torch.inf).exp()

    def log_marginals(self) -> Tensor:
        """The logarithm of the same, with no meaning in padding."""
        return self.forward + self.backward - self.log_partition[:, None, None]

    def expected_transitions(self) -> Tensor:
        """How often each transition is expected in the whole batch, (K + 1, K + 1)."""
        counts = torch.zeros_like(self.transitions)
        marginals = self.marginals()
        rows = torch.arange(len(self.lengths))
        counts[-1, :-1] = marginals[:, 0].sum(0)
        counts[:-1, -1] = marginals[rows, self.lengths - 1].sum(0)
        after = self.emissions + self.backward - self.log_partition[:, None, None]
        inside = self.inside[:, 1:]
        before, after = self.forward[:, :-1][inside], after[:, 1:][inside]
        # exp(before + transition + after), as a product of matrices of numbers that can be told
        largest = before.amax(1, keepdim=True)
        pairs = (before - largest).exp().T @ (after + largest).clamp(max=LARGEST_LOGARITHM).exp()
        counts[:-1, :-1] = pairs * self.transitions[:-1, :-1].exp()
        return counts

    def span_log_probabilities(self, path: Tensor, continuing: Tensor) -> SpanLogProbabilities:
        """How probable it is that a mention of a sequence stands where it does.

        That is the probability of the event, not of one sequence: everything before
        and after the mention may be any legal sequence that does not make it longer.

        path (Tensor): The columns of each row's tags, O in padding, (rows, longest).
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
    # Backward is forward on the sequences the other way round, so both take the same steps.
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
    """Sum, at each step and for each tag, over all walks that arrive there, as logarithms.

    Relative to the likeliest tag, a step is a product of matrices. What is less likely
    than that by a factor of 1e-300 counts as impossible. With scores up to `LARGEST_SCORE`
    nothing legal is: from any tag any other can be reached in three steps.

    start (ndarray): What a walk begins with, (2, rows, K).
    steps (ndarray): What it gets at each token, (longest, 2, rows, K).
    transitions (ndarray): What it gets between two tokens, (2, K, K).
    RETURNS (ndarray): The sums, without the token's own part, (2, longest, rows, K).
    """
    reached = np.empty((2, len(steps), *start.shape[1:]))
    reached[:, 0] = start
    highest = transitions.max()
    factors = np.exp(transitions - highest)
    with np.errstate(divide="ignore"):  # the logarithm of 0
        for t, step in enumerate(steps[:-1]):
            walks = reached[:, t] + step
            likeliest = np.maximum(walks.max(2, keepdims=True), -1e300)  # where none is legal
            walks = np.matmul(np.exp(walks - likeliest), factors)
            reached[:, t + 1] = np.log(walks) + (likeliest + highest)
    return reached


def pad(sequences: list[Tensor], value: float = 0.0) -> tuple[Tensor, Tensor]:
    """Pad sequences to the longest.

    sequences (list[Tensor]): Each (tokens, ...), at least one token long.
    value (float): What to fill with.
    RETURNS (tuple[Tensor, Tensor]): (rows, longest, ...) and the lengths (rows,).
    """
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=value)
    return padded, lengths


Mention = tuple[int, int, str, float]  # start, end, label, confidence


def decode(
    emissions: list[Tensor], transitions: Tensor, tagset: Tagset, temperature: float = 1.0
) -> list[list[Mention]]:
    """The mentions of the best legal sequences, each with its probability.

    emissions (list[Tensor]): Scores of tags, each (tokens, K).
    transitions (Tensor): As from `Tagset.constrain`.
    tagset (Tagset): The tags: see tagset.py.
    temperature (float): What scores are divided by before they become
        probabilities (Guo et al., "On Calibration of Modern Neural Networks",
        ICML 2017). It does not change which sequence is best.
    RETURNS (list[list[Mention]]): Half-open token ranges, label and probability.
    """
    found: list[list[Mention]] = [[] for _ in emissions]
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
                found[i].append((start, end, label, confidence))
    return found


def log_probabilities(
    emissions: list[Tensor], transitions: Tensor, columns: list[list[int]], temperature: float
) -> list[list[float]]:
    """How probable each token's given tag is, over all legal sequences.

    emissions, transitions, temperature: As for `decode`.
    columns (list[list[int]]): The given tags; of a `MISSING` one it is 0, for sure.
    RETURNS (list[list[float]]): Natural logarithms.
    """
    found: list[list[float]] = [[] for _ in emissions]
    sharpened = sharpen(transitions, temperature)
    for group in group_by_length([len(scores) for scores in emissions]):
        padded, lengths = pad([finite(emissions[i]) for i in group])
        lattice = forward_backward(sharpen(padded, temperature), lengths, sharpened)
        given, _ = pad([torch.tensor(columns[i]) for i in group])
        chosen = lattice.log_marginals().gather(2, given.clamp(min=0)[:, :, None])[:, :, 0]
        chosen = chosen.masked_fill(given == MISSING, 0.0)
        for row, i in enumerate(group):
            found[i] = chosen[row, : lengths[row]].tolist()
    return found


def group_by_length(lengths: list[int]) -> list[list[int]]:
    """Group sequences of similar length, so that few positions are padding.

    lengths (list[int]): Tokens of each sequence. Empty ones are left out.
    RETURNS (list[list[int]]): Indices. A group has `MOST_POSITIONS` positions with
        its padding, unless it is a single sequence, and one is at most twice as
        long as another.
    """
    groups: list[list[int]] = []
    for i in sorted((i for i, n in enumerate(lengths) if n), key=lambda i: -lengths[i]):
        longest = lengths[groups[-1][0]] if groups else 0
        full = not groups or longest * (len(groups[-1]) + 1) > MOST_POSITIONS
        if full or longest > max(SHORT, 2 * lengths[i]):
            groups.append([])
        groups[-1].append(i)
    return groups
