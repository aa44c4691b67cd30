"""The head's options, device and learning rate."""

from typing import Any

import pytest
import torch
from spacy.tokens import Doc

from tests.pipes.training import Build, ner, train


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("activation", "swish", "expected one of none, tanh, relu, gelu"),
        ("decoder", "beam", "expected one of softmax, crf"),
        ("scheme", "iob1", "expected one of biluo, iob2"),
        ("dropout", 1.0, "dropout from 0 to below 1"),
        ("pos_width", 8, "needs a tagger before ner"),
    ],
)
def test_wrong_arguments_are_explained(build: Build, key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**{ner(key): value})


def test_the_head_goes_where_the_shim_was_made_for(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers are made on the CPU, and must not stay there where there is a GPU."""
    pipe = build().get_pipe("ner")
    head = pipe.model.layers[1]
    del head.shims[0]._model.output, head.shims[0]._model.transitions
    monkeypatch.setattr(
        "thinc.shims.pytorch.get_torch_default_device", lambda: torch.device("meta")
    )
    monkeypatch.setattr(type(pipe.model.layers[0]), "initialize", lambda self, **_: self)
    pipe.model.init(pipe.model, [Doc(pipe.vocab, words=["a"])])
    assert head.shims[0]._model.output.weight.device.type == "meta"


def test_the_head_learns_at_a_multiple_of_the_rate(build: Build) -> None:
    moves = []
    for rate in (1.0, 10.0):
        nlp = build(**{ner("rate"): rate})
        layer = nlp.get_pipe("ner").model.layers[1].shims[0]._model.output
        before = layer.weight.detach().clone()
        train(nlp, steps=1)  # Adam's first step moves every weight by the learning rate
        moves.append(float((layer.weight.detach() - before).abs().max()))
    assert moves[1] == pytest.approx(10 * moves[0], rel=1e-2)
    with pytest.raises(ValueError, match="rate = 0: expected a number above 0"):
        build(**{ner("rate"): 0})


def test_a_crf_has_no_class_weights(build: Build) -> None:
    with pytest.raises(ValueError, match="class_weight needs"):
        build(**{ner("decoder"): "crf", ner("class_weight"): 0.5})
