"""Frozen steps and half precision."""

from pathlib import Path

import spacy
import torch

from tests.pipes.training import (
    TEXTS,
    Build,
    encoder_key,
    encoder_of,
    find_entities,
    moved,
    train,
    weights,
)


def test_frozen_steps_move_nothing_and_then_everything(build: Build) -> None:
    nlp = build(**{encoder_key("frozen_steps"): 5})
    before = weights(nlp)
    train(nlp, steps=5)
    assert not moved(before, weights(nlp))
    train(nlp, steps=1)
    assert any("attention" in name for name in moved(before, weights(nlp)))


def test_half_precision_trains_on_a_cpu_and_leaves_predictions_whole(
    build: Build, tmp_path: Path
) -> None:
    nlp = build(**{encoder_key("mixed_precision"): True})
    dtypes = []
    encoder_of(nlp).encoder.layer[0].attention.self.query.register_forward_hook(
        lambda module, inputs, output: dtypes.append((output.dtype, module.training))
    )
    assert train(nlp, steps=60)["ner"] < 0.1
    expected = find_entities(nlp, TEXTS)
    assert set(dtypes) == {(torch.bfloat16, True), (torch.float32, False)}
    nlp.to_disk(tmp_path)
    whole = {"components": {"transformer": {"model": {"mixed_precision": False}}}}
    assert find_entities(spacy.load(tmp_path, config=whole), TEXTS) == expected
