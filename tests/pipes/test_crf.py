"""The chain against all sequences there are, and against another implementation."""

import math
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchcrf import CRF

from bert_ner.pipes.crf import (
    decode,
    finite,
    forward_backward,
    log_probabilities,
    pad,
    viterbi,
)
from bert_ner.pipes.loss import sequence_loss
from bert_ner.pipes.tags import MISSING, SCHEMES, Tagset

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


def legal_scores(emissions: Tensor, transitions: Tensor) -> dict[tuple[int, ...], float]:
    """The score of each legal sequence, one by one."""
    scores = {}
    for path in product(range(emissions.shape[1]), repeat=len(emissions)):
        steps = [-1, *path, -1]
        moves = sum(float(transitions[a, b]) for a, b in pairwise(steps))
        if moves > -torch.inf:
            scores[path] = moves + sum(float(emissions[i, tag]) for i, tag in enumerate(path))
    return scores


def log_sum(scores: list[float]) -> float:
    return float(torch.tensor(scores, dtype=torch.double).logsumexp(0))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", range(3))
def test_partition_marginals_and_best_sequence_equal_brute_force(scheme: str, seed: int) -> None:
    _tagset, emissions, transitions = random_chain(scheme, seed)
    padded, lengths = pad(emissions, value=99.0)  # padding must not count
    lattice = forward_backward(padded, lengths, transitions)
    marginals = lattice.marginals()
    paths = viterbi(padded, lengths, transitions)
    expected_moves = torch.zeros_like(transitions)
    for row, rows_emissions in enumerate(emissions):
        scores = legal_scores(rows_emissions, transitions)
        total = log_sum(list(scores.values()))
        assert float(lattice.log_partition[row]) == pytest.approx(total, abs=1e-5)
        assert tuple(paths[row]) == max(scores, key=lambda path: scores[path])
        by_hand = torch.zeros_like(rows_emissions)
        for path, score in scores.items():
            probability = torch.tensor(score - total).double().exp()
            for i, tag in enumerate(path):
                by_hand[i, tag] += probability
            steps = [-1, *path, -1]
            for a, b in pairwise(steps):
                expected_moves[a, b] += probability
        assert torch.allclose(marginals[row, : len(by_hand)], by_hand, atol=1e-5)
        assert not marginals[row, len(by_hand) :].any()
    assert torch.allclose(lattice.expected_transitions(), expected_moves, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_mentions_confidence_is_the_sum_over_all_sequences_that_hold_it(scheme: str) -> None:
    tagset, emissions, transitions = random_chain(scheme, seed=7)
    found = decode(emissions, transitions, tagset)
    assert sum(map(len, found)) > 3
    for row, mentions in enumerate(found):
        scores = legal_scores(emissions[row], transitions)
        total = log_sum(list(scores.values()))
        for start, end, label, confidence in mentions:
            holding = [
                s for path, s in scores.items() if (start, end, label) in tagset.spans(list(path))
            ]
            assert confidence == pytest.approx(
                float(torch.tensor(log_sum(holding) - total).exp()), abs=1e-5
            )


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
            free, bound = [], []
            for path in legal_scores(rows_scores.detach(), moves.detach()):
                steps = [-1, *path, -1]
                score = torch.stack([rows_scores[i, tag] for i, tag in enumerate(path)]).sum()
                score = score + torch.stack([moves[a, b] for a, b in pairwise(steps)]).sum()
                free.append(score)
                if all(g in (MISSING, tag) for g, tag in zip(columns.tolist(), path, strict=True)):
                    bound.append(score)
            loss = loss + torch.stack(free).logsumexp(0) - torch.stack(bound).logsumexp(0)
        return loss

    leaves = [e.clone().requires_grad_() for e in emissions]
    moves = transitions.clone().requires_grad_()
    by_hand = total_loss(leaves, moves)
    by_hand.backward()
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


def test_equals_pytorch_crf_where_all_transitions_are_legal() -> None:
    """pytorch-crf knows no constraints: what is forbidden here scores -10,000 there."""
    tagset, emissions, transitions = random_chain("biluo", seed=5)
    padded, lengths = pad(emissions)
    mask = torch.arange(padded.shape[1]) < lengths[:, None]
    oracle = CRF(len(tagset.tags), batch_first=True).double()
    soft = transitions.clamp(min=-1e4)
    oracle.transitions.data = soft[:-1, :-1]
    oracle.start_transitions.data, oracle.end_transitions.data = soft[-1, :-1], soft[:-1, -1]
    paths = viterbi(padded, lengths, transitions)
    assert oracle.decode(padded, mask) == paths
    gold, _ = pad([torch.tensor(path) for path in paths])
    columns, _ = pad([torch.tensor(path) for path in paths], value=MISSING)
    loss, _, _ = sequence_loss(padded, lengths, transitions, columns)
    with torch.no_grad():
        assert loss == pytest.approx(-float(oracle(padded, gold, mask, reduction="sum")), abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_half_precision_neither_overflows_nor_changes_the_best_sequence(dtype: torch.dtype) -> None:
    tagset, emissions, transitions = random_chain("biluo", seed=2)
    huge = [(300 * e).to(dtype) for e in emissions]
    huge[0][0, 0] = torch.inf
    huge[1][0, 1] = torch.nan
    found = decode(huge, transitions, tagset)
    assert all(0 <= confidence <= 1 for row in found for *_, confidence in row)
    padded, lengths = pad([finite(e) for e in huge])
    gold, _ = pad([torch.zeros(n, dtype=torch.long) for n in RAGGED], value=MISSING)
    loss, d_emissions, d_transitions = sequence_loss(padded, lengths, transitions, gold)
    assert loss >= 0
    for value in (torch.tensor(loss), d_emissions, d_transitions):
        assert value.isfinite().all()


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_scores_make_an_illegal_sequence(data: st.DataObject) -> None:
    scheme = data.draw(st.sampled_from(sorted(SCHEMES)))
    tagset = Tagset(("A", "B", "C"), scheme)
    length = data.draw(st.integers(1, 6))
    values = st.sampled_from([-1e9, -5.0, 0.0, 5.0, 1e9, float("nan"), float("inf"), -float("inf")])
    rows = data.draw(
        st.lists(
            st.lists(values, min_size=len(tagset.tags), max_size=len(tagset.tags)),
            min_size=length,
            max_size=length,
        )
    )
    emissions = finite(torch.tensor(rows))
    (path,) = viterbi(emissions[None], torch.tensor([length]), tagset.constrain())
    steps = [-1, *path, -1]
    assert all(tagset.allowed[a, b] for a, b in pairwise(steps))
    (mentions,) = decode([emissions], tagset.constrain(), tagset)
    assert [m[:3] for m in mentions] == tagset.spans(path)


def test_temperature_changes_confidence_and_nothing_else() -> None:
    tagset, emissions, transitions = random_chain("biluo", seed=7)
    sharp, soft = (decode(emissions, transitions, tagset, t) for t in (1.0, 4.0))
    assert [[m[:3] for m in row] for row in sharp] == [[m[:3] for m in row] for row in soft]
    assert sum(m[3] for row in sharp for m in row) > sum(m[3] for row in soft for m in row)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("temperature", [0.01, 0.1, 100.0])
def test_no_temperature_makes_what_is_legal_impossible(scheme: str, temperature: float) -> None:
    tagset, emissions, transitions = random_chain(scheme, seed=7, scale=40.0)
    emissions = [finite(e).repeat(5, 1) for e in emissions]
    for row in decode(emissions, transitions, tagset, temperature):
        assert all(0 < confidence <= 1 for *_, confidence in row)
    columns = [torch.zeros(len(e), dtype=torch.long).tolist() for e in emissions]
    for values in log_probabilities(emissions, transitions, columns, temperature):
        assert all(-math.inf < value <= 1e-9 for value in values)


def test_probability_of_a_tag_is_its_share_of_all_legal_sequences() -> None:
    temperature = 1.7
    _, emissions, transitions = random_chain("biluo", seed=3)
    scores = emissions[RAGGED.index(4)]
    gold = [0, MISSING, 2, 1]
    result = log_probabilities([scores], transitions, [gold], temperature)[0]
    weights = {
        path: math.exp(score / temperature)
        for path, score in legal_scores(scores, transitions).items()
    }
    assert result[1] == 0.0
    for token in (0, 2, 3):
        agreeing = sum(weight for path, weight in weights.items() if path[token] == gold[token])
        assert math.exp(result[token]) == pytest.approx(agreeing / sum(weights.values()), abs=1e-9)


def test_gold_tags_in_both_schemes_and_missing_ones() -> None:
    biluo = ["B-A", "I-A", "L-A", "U-B", "O", None, "-", "U-A"]
    for scheme, expected in {
        "biluo": ["B-A", "I-A", "L-A", "U-B", "O", None, None, "U-A"],
        "iob2": ["B-A", "I-A", "I-A", "B-B", "O", None, None, "B-A"],
    }.items():
        tagset = Tagset(("A", "B"), scheme)
        columns = tagset.encode(biluo)
        assert [None if c == MISSING else tagset.tags[c] for c in columns] == expected
        assert tagset.spans(columns[:5]) == [(0, 3, "A"), (3, 4, "B")]
    with pytest.raises(ValueError, match="'C' is not one of A, B"):
        Tagset(("A", "B")).encode(["U-C"])


def test_documents_without_tokens_have_no_mentions() -> None:
    tagset = Tagset(("A",))
    empty = torch.zeros(0, len(tagset.tags))
    assert decode([empty, empty], tagset.constrain(), tagset) == [[], []]
