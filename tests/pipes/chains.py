"""Random tag chains, and brute force over all their legal sequences."""

from itertools import pairwise

import torch
from torch import Tensor

from bert_ner.pipes.tags import Tagset

RAGGED = [5, 1, 3, 2, 4]  # every length from 1 to 5 in one batch


def random_chain(
    scheme: str, seed: int = 0, scale: float = 2.0
) -> tuple[Tagset, list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tagset = Tagset(("PER", "ORG"), scheme)
    tags = len(tagset.tags)
    emissions = [scale * torch.randn(n, tags, generator=generator).double() for n in RAGGED]
    transitions = torch.randn(tags + 1, tags + 1, generator=generator).double()
    return tagset, emissions, tagset.constrain(transitions)


def legal_paths(length: int, transitions: Tensor) -> list[tuple[int, ...]]:
    """All legal sequences of a length, each extended tag by tag."""
    moves = transitions.tolist()
    edge = len(moves) - 1
    paths: list[tuple[int, ...]] = [()]
    for _ in range(length):
        paths = [
            (*path, tag)
            for path in paths
            for tag in range(edge)
            if moves[path[-1] if path else edge][tag] > -torch.inf
        ]
    return [path for path in paths if moves[path[-1]][edge] > -torch.inf]


def legal_scores(emissions: Tensor, transitions: Tensor) -> dict[tuple[int, ...], float]:
    """The score of each legal sequence, one by one."""
    moves, scores = transitions.tolist(), emissions.tolist()
    return {
        path: sum(moves[a][b] for a, b in pairwise([-1, *path, -1]))
        + sum(scores[i][tag] for i, tag in enumerate(path))
        for path in legal_paths(len(emissions), transitions)
    }


def path_scores(emissions: Tensor, transitions: Tensor, paths: list[tuple[int, ...]]) -> Tensor:
    """The scores of sequences, with a gradient, (len(paths),)."""
    columns = torch.tensor(paths)
    edge = torch.full((len(paths), 1), len(transitions) - 1)
    steps = torch.cat([edge, columns, edge], dim=1)
    moves = transitions[steps[:, :-1], steps[:, 1:]].sum(1)
    return moves + emissions[torch.arange(len(emissions)), columns].sum(1)


def log_sum(scores: list[float]) -> float:
    return float(torch.tensor(scores, dtype=torch.double).logsumexp(0))
