"""The loss of the CRF against all legal sequences."""

import pytest
import torch
from torch import Tensor

from bert_ner.pipes.crf import (
    pad,
)
from bert_ner.pipes.loss import crf_loss, sequence_loss, weigh_tags
from bert_ner.pipes.tags import MISSING, SCHEMES
from tests.pipes.chains import RAGGED, legal_paths, legal_scores, path_scores, random_chain


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_loss_and_gradients_equal_brute_force(scheme: str, missing: bool) -> None:
    _tagset, emissions, transitions = random_chain(scheme, seed=3)
    gold = []
    for rows_emissions in emissions:
        legal = list(legal_scores(rows_emissions, transitions))
        path = legal[len(legal) // 2]
        gold.append(torch.tensor([MISSING if missing and i % 2 else t for i, t in enumerate(path)]))

    def total_loss(scores: list[Tensor], moves: Tensor) -> Tensor:
        loss = torch.zeros((), dtype=torch.double)
        for rows_scores, columns in zip(scores, gold, strict=True):
            paths = legal_paths(len(rows_scores), moves.detach())
            agrees = [
                all(g in (MISSING, tag) for g, tag in zip(columns.tolist(), path, strict=True))
                for path in paths
            ]
            free = path_scores(rows_scores, moves, paths)
            bound = free[torch.tensor(agrees)]
            loss = loss + free.logsumexp(0) - bound.logsumexp(0)
        return loss

    leaves = [e.clone().requires_grad_() for e in emissions]
    moves = transitions.clone().requires_grad_()
    by_hand = total_loss(leaves, moves)
    torch.autograd.backward(by_hand)
    padded, lengths = pad(emissions)
    columns, _ = pad(gold, value=MISSING)
    loss, d_emissions, d_transitions = sequence_loss(padded, lengths, transitions, columns)
    assert loss == pytest.approx(float(by_hand.detach()), abs=1e-5)
    for row, leaf in enumerate(leaves):
        assert leaf.grad is not None
        assert torch.allclose(d_emissions[row, : len(leaf)], leaf.grad, atol=1e-5)
    assert moves.grad is not None
    assert torch.allclose(d_transitions, moves.grad.nan_to_num(), atol=1e-5)


def test_a_row_with_illegal_gold_tags_does_not_count() -> None:
    tagset, emissions, transitions = random_chain("biluo")
    padded, lengths = pad(emissions)
    gold, _ = pad([torch.zeros(n, dtype=torch.long) for n in RAGGED], value=MISSING)
    without = sequence_loss(padded[1:], lengths[1:], transitions, gold[1:])
    gold[0, 0] = tagset.encode(["L-PER"])[0]
    loss, d_emissions, d_transitions = sequence_loss(padded, lengths, transitions, gold)
    assert loss == pytest.approx(without[0])
    assert not d_emissions[0].any()
    assert torch.allclose(d_emissions[1:], without[1])
    assert torch.allclose(d_transitions, without[2])
    assert sequence_loss(padded[:1], lengths[:1], transitions, gold[:1])[0] == 0.0


def test_gradient_of_the_mean_loss_equals_finite_differences() -> None:
    tagset, emissions, transitions = random_chain("biluo")
    scores, gold = torch.cat(emissions), [torch.full((n,), tagset.tags.index("O")) for n in RAGGED]
    loss, d_scores, d_transitions = crf_loss(scores, transitions, gold)
    assert loss == pytest.approx(crf_loss(scores.repeat(2, 1), transitions, gold * 2)[0])
    step = 1e-4 * torch.randn(scores.shape, generator=torch.Generator().manual_seed(1)).double()
    before, after = (crf_loss(scores + s, transitions, gold)[0] for s in (-step, step))
    assert after - before == pytest.approx(2 * float((d_scores * step).sum()), rel=1e-3)
    move = 1e-4 * torch.randn(transitions.shape, generator=torch.Generator().manual_seed(2))
    before, after = (crf_loss(scores, transitions + m, gold)[0] for m in (-move, move))
    assert after - before == pytest.approx(2 * float((d_transitions * move).sum()), rel=1e-3)


def test_rare_tags_weigh_more() -> None:
    weights = weigh_tags([[0, 0, 0, MISSING], [1]], tags=3, power=1.0)
    assert weights == pytest.approx([7 / 12, 7 / 6, 7 / 3])  # for counts of 4, 2 and 1
    assert weigh_tags([[0, 0, 0], [1]], tags=3, power=0.0) == [1.0, 1.0, 1.0]
