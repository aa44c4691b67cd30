"""Pretrained encoders load, and pipelines survive bytes and disk."""

import json
from pathlib import Path

import pytest
import spacy
import srsly
import torch

from tests.pipes.training import (
    TEXTS,
    Build,
    encoder_key,
    encoder_of,
    find_entities,
    make_examples,
    shim_of,
    train,
)


def test_an_encoder_of_another_kind_takes_tokens_too(tmp_path: Path, build: Build) -> None:
    """RoBERTa's tokenizer needs an option to read tokens as words."""
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    letters = [chr(i) for i in range(33, 127)] + ["\u0120"]
    vocab = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    files = (str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    RobertaTokenizerFast(*files, model_max_length=128).save_pretrained(tmp_path)
    config = RobertaConfig(
        vocab_size=len(vocab),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=130,
        type_vocab_size=1,
    )
    RobertaModel(config).save_pretrained(tmp_path)
    nlp = build(**{encoder_key("name"): str(tmp_path)})
    train(nlp, steps=3)
    nlp.to_disk(tmp_path / "saved")
    expected = find_entities(nlp, [*TEXTS, "Oslo " * 200])
    assert find_entities(spacy.load(tmp_path / "saved"), [*TEXTS, "Oslo " * 200]) == expected


@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_a_missing_or_unexpected_weight_is_an_error(
    build: Build,
    tmp_path: Path,
    change: str,
) -> None:
    import safetensors.torch

    nlp = build()
    nlp.to_disk(tmp_path / "p")
    (shim,) = [s for n in nlp.get_pipe("transformer").model.walk() for s in n.shims]
    message = srsly.msgpack_loads(shim.to_bytes())
    state = safetensors.torch.load(message["weights"])
    if change == "missing":
        state.popitem()
    else:
        state["another.weight"] = torch.zeros(2)
    message["weights"] = safetensors.torch.save(state)
    with pytest.raises(ValueError, match=f"(?s)weights do not fit.*{change.capitalize()} key"):
        shim.from_bytes(srsly.msgpack_dumps(message))


def test_nothing_in_the_pipeline_is_a_pickle(build: Build, tmp_path: Path) -> None:
    nlp = build()
    nlp.to_disk(tmp_path / "pipeline")
    for path in (tmp_path / "pipeline").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PK\x03\x04" not in content  # torch.save's container
            assert b"ctorch._utils" not in content


@pytest.mark.parametrize("is_initialized", [False, True])
@pytest.mark.parametrize("target", ["bytes", "disk"])
def test_pipelines_survive_bytes_and_disk(
    build: Build, encoder: Path, tmp_path: Path, target: str, is_initialized: bool
) -> None:
    config = build().config
    nlp = spacy.util.load_model_from_config(config)
    if is_initialized:
        nlp.initialize(lambda: make_examples(nlp))
    loaded = spacy.util.load_model_from_config(config)
    if target == "bytes":
        loaded.from_bytes(nlp.to_bytes())
    else:
        nlp.to_disk(tmp_path)
        loaded.from_disk(tmp_path)
    assert loaded.get_pipe("ner").to_bytes() == nlp.get_pipe("ner").to_bytes()
    ours, theirs = (srsly.msgpack_loads(shim_of(each).to_bytes()) for each in (loaded, nlp))
    for key in ours.keys() - {"tokenizer"}:  # whose settings are those of a saved one
        assert ours[key] == theirs[key], key
    transformer = loaded.get_pipe("transformer").model
    assert transformer.attrs["has_transformer"] is is_initialized
    assert (transformer.transformer is not None) is is_initialized
    assert transformer.attrs["name"] == str(encoder)
    if is_initialized:
        assert find_entities(loaded, TEXTS) == find_entities(nlp, TEXTS)
    else:
        loaded.initialize(lambda: make_examples(loaded))
        assert encoder_of(loaded) is not None
    assert train(loaded, steps=2)["ner"] > 0


def test_the_stored_message_has_the_keys_of_wheels_of_any_age(build: Build) -> None:
    nlp = build(**{encoder_key("lora_rank"): 2, encoder_key("lora_alpha"): 8})
    message = srsly.msgpack_loads(shim_of(nlp).to_bytes())
    assert list(message) == [
        *("tokenizer_config", "transformer_config", "config", "tokenizer"),
        *("lora", "onnx", "weights"),
    ]
    assert message["lora"] == {"rank": 2, "alpha": 8}
    assert message["onnx"] is None
    shim_of(nlp).merge()
    assert srsly.msgpack_loads(shim_of(nlp).to_bytes())["lora"] == {}
