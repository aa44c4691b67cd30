"""The chain against all legal sequences, and against another implementation."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
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
from tests.pipes.chains import RAGGED, legal_scores, log_sum, random_chain


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
    decoded = decode(emissions, transitions, tagset)
    assert sum(map(len, decoded)) > 3
    for row, mentions in enumerate(decoded):
        scores = legal_scores(emissions[row], transitions)
        total = log_sum(list(scores.values()))
        for start, end, label, confidence in mentions:
            holding = [
                s for path, s in scores.items() if (start, end, label) in tagset.spans(list(path))
            ]
            assert confidence == pytest.approx(
                float(torch.tensor(log_sum(holding) - total).exp()), abs=1e-5
            )


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
    decoded = decode(huge, transitions, tagset)
    assert all(0 <= confidence <= 1 for row in decoded for *_, confidence in row)
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


def test_documents_without_tokens_have_no_mentions() -> None:
    tagset = Tagset(("A",))
    empty = torch.zeros(0, len(tagset.tags))
    assert decode([empty, empty], tagset.constrain(), tagset) == [[], []]


def test_temperature_divides_the_scores_of_tags_and_transitions() -> None:
    tagset, emissions, transitions = random_chain("biluo", seed=7)
    expected = decode([e / 2 for e in emissions], transitions / 2, tagset)
    mentions = decode(emissions, transitions, tagset, temperature=2.0)
    for row, expected_row in zip(mentions, expected, strict=True):
        assert [m[:3] for m in row] == [m[:3] for m in expected_row]
        assert [m[3] for m in row] == pytest.approx([m[3] for m in expected_row])
