"""Adam for all weights is thinc's Adam, and a sparse gradient is the gradient."""

from types import SimpleNamespace

import pytest
import torch
from thinc.api import Adam

from tests.pipes.training import Build, encoder_key, make_examples, moved, shim_of, weights

STILL = {
    encoder_key("transformer_config"): {
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
}


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_for_all_weights_at_once_equals_thincs_adam(build: Build, weight_decay: float) -> None:
    after = []
    for averages in (False, True):  # with averages, thinc does it itself
        nlp = build(**{encoder_key("transformer_config"): {"hidden_dropout_prob": 0.0}})
        optimizer = Adam(1e-3, L2=weight_decay, eps=1e-12, grad_clip=0.0, use_averages=averages)
        shim = shim_of(nlp)
        torch.manual_seed(1)
        for _ in range(3):
            for parameter in shim._model.parameters():
                parameter.grad = torch.randn_like(parameter) if parameter.requires_grad else None
            shim.finish_update(optimizer)
        after.append(weights(nlp))
    for name, value in after[0].items():
        assert torch.allclose(value, after[1][name], atol=1e-6), name


def test_a_gradient_that_overflows_is_not_kept(build: Build) -> None:
    nlp = build()
    shim = shim_of(nlp)
    before = weights(nlp)
    shim._grad_scaler = SimpleNamespace(found_inf=True, update=lambda: None)
    for parameter in shim._model.parameters():
        parameter.grad = torch.full_like(parameter, torch.inf)
    shim.finish_update(Adam(1e-3, use_averages=False))
    assert not moved(before, weights(nlp))
    assert all(parameter.grad is None for parameter in shim._model.parameters())


@pytest.mark.parametrize("averages", [False, True])  # with averages, thinc takes the step
def test_a_gradient_by_row_trains_as_a_dense_one(build: Build, averages: bool) -> None:
    after = []
    for by_row in (True, False):
        nlp = build(**STILL)
        table = shim_of(nlp).adam.table
        assert table.sparse
        table.sparse = by_row
        optimizer = Adam(1e-3, L2=0.01, grad_clip=1.0, use_averages=averages)
        for step, example in enumerate(make_examples(nlp, times=2)):  # other words in each step
            nlp.update([example], sgd=False)
            kept = averages and step  # thinc keeps the first step's, which is filled
            assert table.weight.grad.is_sparse == (by_row and not kept)
            for _, pipe in nlp.pipeline:
                pipe.finish_update(optimizer)
        after.append(weights(nlp))
    for name, value in after[0].items():
        assert torch.allclose(value, after[1][name], atol=1e-6), name
