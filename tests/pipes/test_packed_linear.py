"""Packed weights give the same predictions, and never those of before an update."""

import copy
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from torch import nn

from bert_ner.pipes import packed_linear
from bert_ner.pipes.packed_linear import can_pack, pack, unpack
from tests.pipes.training import (
    TEXTS,
    Build,
    encoder_key,
    encoder_of,
    find_entities,
    shim_of,
    train,
)

needs_packing = pytest.mark.skipif(not can_pack(), reason="this PyTorch has no oneDNN")


def layers() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(48, 96), nn.GELU(), nn.Linear(96, 8, bias=False))


@needs_packing
def test_packed_layers_multiply_as_before_and_keep_their_weights() -> None:
    network = layers()
    inputs = torch.randn(5, 7, 48)
    with torch.no_grad():
        before = network(inputs)
        pack(network)
        assert "forward" in network[0].__dict__
        assert network(inputs).shape == (5, 7, 8)
        assert torch.allclose(network(inputs), before, atol=1e-6)
        assert network.state_dict().keys() == layers().state_dict().keys()
        unpack(network)
        assert torch.equal(network(inputs), before)
    unpack(network)  # there is nothing left to undo


@needs_packing
def test_other_precisions_and_kinds_of_layers_are_left_alone() -> None:
    class Other(nn.Linear):
        pass

    network = nn.Sequential(nn.Linear(4, 4).bfloat16(), Other(4, 4))
    pack(network)
    assert not any("forward" in layer.__dict__ for layer in network)


def vectors(nlp: spacy.Language) -> Any:
    return [doc._.trf_data.model_output.last_hidden_state for doc in nlp.pipe(TEXTS[:3:2])]


@pytest.mark.parametrize("lora", [0, 2])
def test_predictions_follow_every_update(build: Build, lora: int) -> None:
    nlp, plain = (build(**{encoder_key("lora_rank"): lora}) for _ in range(2))
    shim_of(plain).__dict__["_packed"] = True  # never packs
    assert is_packed(nlp) is False
    for _ in range(2):
        assert all(map(np.allclose, vectors(nlp), vectors(plain), (1e-5, 1e-5)))
        assert is_packed(nlp) is can_pack()
        assert is_packed(plain) is False
        for each in (nlp, plain):
            spacy.util.fix_random_seed(1)
            train(each, steps=2)
        assert is_packed(nlp) is False
        shim_of(plain).__dict__["_packed"] = True


def test_predictions_follow_an_update_that_annotates(build: Build) -> None:
    nlp, plain = build(), build()
    encoder = shim_of(plain)
    encoder.__dict__["_packed"] = True  # never packs
    for each in (nlp, plain):
        spacy.util.fix_random_seed(1)
        train(each, steps=2, annotates=("transformer",))
        encoder.__dict__["_packed"] = True
    unpack(encoder._model)
    assert all(map(np.allclose, vectors(nlp), vectors(plain), (1e-5, 1e-5)))


def test_a_pipeline_that_has_predicted_can_be_copied(build: Build) -> None:
    model = build().get_pipe("transformer").model
    docs = [Doc(Vocab(), words=TEXTS[0].split())]
    wanted = model.predict(docs).model_output.last_hidden_state
    for copied in (copy.deepcopy(model.layers[0].shims[0]), model.layers[0].shims[0]):
        model.layers[0].shims[0] = copied
        assert np.allclose(model.predict(docs).model_output.last_hidden_state, wanted, atol=1e-6)


@needs_packing
def test_packed_layers_leave_half_precision_to_pytorch() -> None:
    network = layers()
    pack(network)
    inputs = torch.randn(5, 48)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(inputs).dtype == torch.bfloat16


def is_packed(nlp: spacy.Language) -> bool:
    encoder = encoder_of(nlp)
    return any("forward" in layer.__dict__ for layer in encoder.modules())


def test_a_pytorch_without_onednn_predicts_too(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = build()
    train(nlp, steps=20)
    wanted = find_entities(nlp, TEXTS)
    unpack(encoder_of(nlp))
    shim_of(nlp)._packed = False
    monkeypatch.setattr(packed_linear, "can_pack", lambda: False)
    again = find_entities(nlp, TEXTS)
    assert is_packed(nlp) is False
    assert [[m[:2] for m in row] for row in again] == [[m[:2] for m in row] for row in wanted]


GROWTH = """
import torch
import bert_ner.pipes.encoder
from bert_ner.devices import resident_memory_mb
from bert_ner.pipes.packed_linear import pack

layer = torch.nn.Sequential(torch.nn.Linear(64, 64))
pack(layer)
with torch.no_grad():
    layer(torch.zeros(1000, 64))
    before = resident_memory_mb()
    for rows in range(1, 1000):
        layer(torch.zeros(rows, 64))
print(resident_memory_mb() - before)
"""


@pytest.mark.slow
@needs_packing
@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of memory")
def test_memory_does_not_grow_with_the_shapes_that_were_met() -> None:
    """Without the limits in encoder.py, by 500 MB."""
    set_by_us = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    env = {name: value for name, value in os.environ.items() if name not in set_by_us}
    command = [sys.executable, "-c", GROWTH]
    grown = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    assert float(grown) < 100
