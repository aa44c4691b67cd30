"""Dropout by random bytes is dropout, and attention written out is attention."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bert_ner.pipes.fast_dropout import FastDropout
from tests.pipes.training import Build, make_examples, train


def attend(mask: Tensor | None, dtype: torch.dtype = torch.float32) -> Tensor:
    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 3, 40, 8, dtype=dtype) for _ in range(3))
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=0.0, is_causal=False
    )


PADDED = torch.arange(40) < torch.tensor([40, 25])[:, None, None, None]
MASKS = {
    "none": None,
    "true where read": PADDED,
    "added": torch.zeros(2, 1, 1, 40).masked_fill(~PADDED, torch.finfo(torch.float32).min),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-6), (torch.bfloat16, 0.03)])
def test_attention_is_that_of_pytorch(mask: str, dtype: torch.dtype, off: float) -> None:
    expected = attend(MASKS[mask])
    with FastDropout():
        output = attend(MASKS[mask], dtype)
    assert output.dtype == dtype
    assert torch.allclose(output.float(), expected, atol=off)


def test_attention_drops_weights_and_keeps_the_mean() -> None:
    expected = attend(PADDED)
    output = []
    with FastDropout() as fast:
        torch.manual_seed(1)
        inputs = [torch.randn(2, 3, 40, 8) for _ in range(3)]
        for _ in range(2000):
            output.append(fast.attention(*inputs, attn_mask=PADDED, dropout_p=0.1))
    assert not torch.allclose(output[0], output[1], atol=0.01)
    assert torch.allclose(torch.stack(output).mean(0), expected, atol=0.03)


@pytest.mark.parametrize(("p", "share"), [(0.1, 26 / 256), (0.5, 0.5), (0.9, 230 / 256)])
def test_a_share_is_dropped_and_the_rest_scaled(p: float, share: float) -> None:
    values = torch.ones(1001, 1001, requires_grad=True)
    with FastDropout():
        output = nn.Dropout(p)(values)
    output.sum().backward()
    assert (output == 0).float().mean().item() == pytest.approx(share, abs=0.003)
    assert output.mean().item() == pytest.approx(1, abs=0.02)
    assert output.unique().tolist() == pytest.approx([0, 1 / (1 - share)])
    assert values.grad is not None
    assert torch.equal(values.grad, output)  # a dropped value learns nothing


def test_nothing_is_dropped_where_nothing_is_asked_for() -> None:
    values = torch.ones(1000)
    with FastDropout():
        assert torch.equal(nn.Dropout(0.0)(values), values)
        assert torch.equal(nn.Dropout(0.5).eval()(values), values)
    assert 0 < (nn.Dropout(0.5)(values) == 0).sum() < 1000  # PyTorch's own again


def test_the_seed_decides_and_no_two_steps_are_the_same() -> None:
    def drop() -> Tensor:
        with FastDropout():
            return functional.dropout(torch.ones(100), 0.5)

    torch.manual_seed(3)
    first, second = drop(), drop()
    torch.manual_seed(3)
    assert torch.equal(drop(), first)
    assert not torch.equal(first, second)


def test_training_on_a_cpu_uses_it(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    attention = FastDropout.attention

    def listen(*args: Any, **kwargs: Any) -> Tensor:
        asked.append(kwargs["dropout_p"])
        return attention(*args, **kwargs)

    monkeypatch.setattr(FastDropout, "attention", listen)
    nlp = build()
    nlp.evaluate(make_examples(nlp))
    assert not asked  # predictions have nothing to drop
    train(nlp, steps=1)
    layers = nlp.get_pipe("transformer").model.transformer.config.num_hidden_layers
    assert asked == [0.1] * layers


@pytest.mark.parametrize("p", [1.0, 0.001])
def test_a_share_that_bytes_cannot_have_is_left_to_pytorch(p: float) -> None:
    torch.manual_seed(1)
    with FastDropout():
        dropped = functional.dropout(torch.ones(100_000), p)
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.0005)


@pytest.mark.parametrize("asked", [{"enable_gqa": True}, {"is_causal": True}])
def test_attention_of_another_kind_is_left_to_pytorch(asked: Mapping[str, Any]) -> None:
    query, key = torch.randn(1, 4, 3, 8), torch.randn(1, 2 if "enable_gqa" in asked else 4, 3, 8)
    expected = functional.scaled_dot_product_attention(query, key, key, **asked)
    with FastDropout():
        output = functional.scaled_dot_product_attention(query, key, key, **asked)
        positional = functional.scaled_dot_product_attention(query, query, query, None, 0.0, True)
    assert torch.equal(output, expected)
    assert torch.equal(positional[:, :, 0], query[:, :, 0])  # the first sees only itself
