"""Segments for case, frozen layers and low-rank adapters."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language

from bert_ner.pipes.wordpieces import CASES
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


def test_case_segments_start_as_the_encoder_was_and_then_tell_cases_apart(
    build: Build,
) -> None:
    plain, cased = (build(**{encoder_key("case_segments"): on}) for on in (False, True))
    text = "Oslo oslo OSLO oSlo 1996 ."
    hidden = [nlp(text)._.trf_data.model_output.last_hidden_state for nlp in (plain, cased)]
    assert hidden[0] == pytest.approx(hidden[1], abs=1e-6)
    segments = cased(text)._.trf_data.wordpieces.token_type_ids[0].tolist()
    #               [CLS]    Oslo           oslo           OSLO         oSlo        1996    . [SEP]
    assert segments == [0, *[1] * 4, *[0] * 4, *[2] * 4, *[3] * 4, *[4] * 4, 5, 0]
    train(cased, steps=30)
    vectors = cased.get_pipe("ner").model.get_ref("tok2vec").predict([cased(text)])[0]
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_case_survives_saving(trained: Language, tmp_path: Path) -> None:
    nlp = trained
    nlp.to_disk(tmp_path / "p")
    loaded = spacy.load(tmp_path / "p")
    assert encoder_of(loaded).embeddings.token_type_embeddings.num_embeddings == len(CASES)
    for text in ("anna berg", "ANNA BERG"):
        a, b = (n(text)._.trf_data.model_output.last_hidden_state for n in (nlp, loaded))
        assert np.array_equal(a, b)


def test_an_encoder_without_segments_is_refused(
    tmp_path: Path, encoder: Path, build: Build
) -> None:
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel

    tokenizer = AutoTokenizer.from_pretrained(encoder)
    tokenizer.save_pretrained(tmp_path)
    config = DistilBertConfig(
        vocab_size=len(tokenizer), dim=16, n_layers=1, n_heads=2, hidden_dim=32
    )
    DistilBertModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizerFast"}')
    with pytest.raises(ValueError, match=r"distilbert has none\. Set case_segments = false"):
        build(**{encoder_key("name"): str(tmp_path)})
    nlp = build(**{encoder_key("name"): str(tmp_path), encoder_key("case_segments"): False})
    assert len(list(nlp.pipe(TEXTS))) == len(TEXTS)


@pytest.mark.parametrize(("layers", "kept"), [(0, {"token_type"}), (1, {"token_type"})])
def test_frozen_layers_are_bit_identical(build: Build, layers: int, kept: set[str]) -> None:
    nlp = build(**{encoder_key("frozen_layers"): layers})
    before = weights(nlp)
    train(nlp, steps=10)
    changed = moved(before, weights(nlp))
    assert changed
    frozen = ("embeddings.", "encoder.layer.0.")[: layers + 1]
    assert all("token_type" in name for name in changed if name.startswith(frozen))
    assert any("token_type" in name for name in changed)


def test_an_encoder_frozen_as_a_whole_trains_the_head(build: Build) -> None:
    nlp = build(**{encoder_key("frozen_layers"): 1, encoder_key("case_segments"): False})
    before = weights(nlp)
    first = train(nlp, steps=1)["ner"]
    assert train(nlp, steps=30)["ner"] < first
    assert not moved(before, weights(nlp))
    with pytest.raises(ValueError, match="frozen_layers = 9: the encoder has 1 layers"):
        build(**{encoder_key("frozen_layers"): 9})


def test_lora_trains_adapters_only_and_merges_without_a_change(
    build: Build, tmp_path: Path
) -> None:
    nlp = build(**{encoder_key("lora_rank"): 4})
    before = weights(nlp)
    train(nlp, steps=40)
    changed = moved(before, weights(nlp))
    assert any("lora_B" in name for name in changed)
    assert all("lora_" in name or "token_type" in name for name in changed)
    expected = find_entities(nlp, TEXTS)
    nlp.to_disk(tmp_path / "adapters")
    assert find_entities(spacy.load(tmp_path / "adapters"), TEXTS) == expected
    (shim,) = [s for n in nlp.get_pipe("transformer").model.walk() for s in n.shims]
    assert shim.merge() == 3  # query, key and value of one layer
    nlp.to_disk(tmp_path / "merged")
    merged = spacy.load(tmp_path / "merged")
    assert not any("lora" in name for name in weights(merged))
    for one, other in zip(find_entities(merged, TEXTS), expected, strict=True):
        assert [m[:2] for m in one] == [m[:2] for m in other]
        assert [m[2] for m in one] == pytest.approx([m[2] for m in other], abs=1e-5)
