"""The systems to compare run on the tiny encoder."""

import pytest
import torch

from bert_ner.benchmark import systems
from bert_ner.benchmark.systems import InferenceSettings


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_every_system_runs(name: str, settings: InferenceSettings) -> None:
    run = systems.SYSTEMS[name](settings)
    texts = ["Anna Berg lives in Oslo .", "rain " * 700, "Lima"]
    assert run(texts) >= 0
    assert run(texts[:1]) >= 0


def test_every_system_is_described() -> None:
    assert list(systems.ABOUT) == list(systems.SYSTEMS)


def test_the_loop_reads_every_word_piece(settings: InferenceSettings) -> None:
    loop = systems.Loop(settings)
    # 3 letters and 2 special tokens; then 2 windows of 126 and 2 special tokens
    assert loop(["a b c"]) == 5
    assert loop(["a " * 126 * 2]) == 256


class UsedError(Exception):
    pass


def test_every_system_uses_the_gpu(
    settings: InferenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def use(gpu: int) -> torch.device:
        raise UsedError(gpu)

    monkeypatch.setattr(systems, "use_device", use)
    on_gpu = InferenceSettings(settings.pipeline, settings.int8, settings.encoder, gpu=3)
    for name in set(systems.SYSTEMS) - systems.FOR_CPU:
        with pytest.raises(UsedError, match="3"):
            systems.SYSTEMS[name](on_gpu)
