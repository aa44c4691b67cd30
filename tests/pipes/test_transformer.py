"""The transformer model: alignment, case, freezing, adapters and saving."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import srsly
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example

from bert_ner.pipes import transformer
from bert_ner.pipes.windows import make_windows
from bert_ner.pipes.wordpieces import CASES, case_of, choose_windows, group_by_length
from tests.pipes.training import (
    TEXTS,
    Build,
    encoder_key,
    encoder_of,
    find_entities,
    moved,
    ner,
    shim_of,
    train,
    weights,
)


@pytest.mark.parametrize(
    ("words", "case"),
    [
        ("talks naïve 東京 x-ray", "lower"),
        ("Oslo I Anna-maria", "title"),
        ("EU U.S. B2B", "upper"),
        ("McEwan iPhone Al-Rashid", "mixed"),
        ("1996 3-1 10%", "digits"),
        (". -- & …", "punctuation"),
    ],
)
def test_case(words: str, case: str) -> None:
    assert {CASES[case_of(word)] for word in words.split()} == {case}


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


def test_case_survives_saving(build: Build, tmp_path: Path) -> None:
    nlp = build()
    train(nlp, steps=30)
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


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 6))
def test_each_token_is_read_farthest_from_an_edge(cores: list[int], margin: int) -> None:
    ends = np.cumsum(cores)
    length = int(ends[-1])
    windows = [
        (max(0, int(end) - core - margin), min(length, int(end) + margin))
        for core, end in zip(cores, ends, strict=True)
    ]
    chosen = choose_windows(windows, length)
    for token in range(length):

        def distance(window: tuple[int, int], token: int = token) -> int:
            start, end = window
            if not start <= token < end:
                return -1
            left = token - start if start else length
            return min(left, end - 1 - token if end < length else length)

        assert distance(windows[chosen[token]]) == max(map(distance, windows))


def test_windows_may_come_in_any_order() -> None:
    assert choose_windows([(3, 6), (0, 3)], 6).tolist() == [1, 1, 1, 0, 0, 0]
    assert choose_windows([(0, 2), (2, 6)], 6).tolist() == [0, 0, 1, 1, 1, 1]


def test_what_is_pooled_at_once_is_what_the_stock_listener_gives(build: Build) -> None:
    nlp = build()
    listener = nlp.get_pipe("ner").model.get_ref("tok2vec")
    docs = [nlp.make_doc(text) for text in (TEXTS[0], "", "Lima", TEXTS[1] * 9)]
    for doc in nlp.get_pipe("transformer").pipe(docs):
        assert doc._.trf_data is not None
    stock = listener.layers[0].predict(docs)
    assert [len(vectors) for vectors in stock] == [len(doc) for doc in docs]
    for mine, theirs in zip(listener.predict(docs), stock, strict=True):
        assert np.allclose(mine, theirs.reshape(-1, mine.shape[1]), atol=1e-5)
    with docs[0].retokenize() as retokenizer:
        retokenizer.merge(docs[0][:2])  # the vectors of the others stay theirs
    assert np.allclose(listener.predict(docs)[2], stock[2], atol=1e-5)


@pytest.mark.parametrize("context", [0, 10])
def test_each_token_is_aligned_with_its_own_word_pieces(build: Build, context: int) -> None:
    nlp = build()
    model = nlp.get_pipe("transformer").model
    model.attrs["get_spans"] = make_windows(max_pieces=24, context=context)
    words = ["Anna", "Berg", "\n", "lives", "x" * 700, "in", "Oslo", "."] * 9
    docs = [Doc(nlp.vocab, words=words), Doc(nlp.vocab), Doc(nlp.vocab, words=["Lima"])]
    batch = model.predict(docs)
    for doc, data in zip(docs, batch.doc_data, strict=True):
        pieces = [piece for row in data.wordpieces.strings for piece in row]
        assert len(data.align.lengths) == len(doc)
        for token in doc:
            own = [pieces[i] for i in data.align[token.i].dataXd.ravel()]
            if token.is_space or len(token) > 600:
                assert own in (["[CLS]"], ["[UNK]"])
            else:
                assert "".join(own).replace("##", "") == token.lower_
    flat = [piece for row in batch.wordpieces.strings for piece in row]
    assert flat[int(batch.align[len(words)].dataXd.ravel()[0])] == "l"


def test_windows_do_not_change_what_fits_into_one(build: Build) -> None:
    nlp = build()
    text = "Anna Berg lives in Oslo ."
    model = nlp.get_pipe("transformer").model
    once = nlp(text)._.trf_data.model_output.last_hidden_state
    model.attrs["get_spans"] = make_windows(max_pieces=99, context=20)
    assert nlp(text)._.trf_data.model_output.last_hidden_state == pytest.approx(once, abs=1e-6)


@given(
    st.lists(st.integers(1, 300), max_size=60), st.integers(1, 600), st.sampled_from([0, 30, 9999])
)
def test_groups_of_windows_have_each_once_and_little_padding(
    lengths: list[int], size: int, call: int
) -> None:
    groups = group_by_length(lengths, size, call)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[i] for i in group) <= size
    longest = [max(lengths[i] for i in group) for group in groups]
    assert longest == sorted(longest)
    if call == 0:
        assert all(len({lengths[i] for i in group}) == 1 for group in groups)


def test_a_window_that_brings_much_padding_starts_a_group() -> None:
    assert group_by_length([20, 5, 6, 20, 5], 999, 30) == [[1, 4, 2], [0, 3]]


def test_windows_predicted_in_groups_are_as_one_by_one(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = build()
    texts = ["Anna Berg lives in Oslo . " * n for n in (1, 30, 3, 0, 7)]
    model = nlp.get_pipe("transformer").model
    parts: list[tuple[int, ...]] = []
    shim = model.layers[0].shims[0]
    predict = shim.predict

    def watched(inputs: Any) -> Any:
        parts.append(tuple(inputs.kwargs["input_ids"].shape))
        return predict(inputs)

    monkeypatch.setattr(transformer, "ON_CPU", (200, 32))
    monkeypatch.setattr(shim, "predict", watched)
    together = list(nlp.pipe(texts))
    assert len(parts) > 3
    assert all(rows == 1 or rows * longest <= 200 for rows, longest in parts)
    for doc, text in zip(together, texts, strict=True):
        alone = nlp(text)
        assert [e.text for e in doc.ents] == [e.text for e in alone.ents]
        if not len(doc):
            continue
        for ours, wanted in zip(vectors(nlp, doc), vectors(nlp, alone), strict=True):
            assert ours == pytest.approx(wanted, abs=1e-5)


def test_training_in_groups_has_the_gradient_of_training_at_once(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learn(call: int) -> tuple[float, dict[str, torch.Tensor], int]:
        monkeypatch.setattr(transformer, "TRAINING", (2048, call))
        none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        nlp = build(**{encoder_key("transformer_config"): none, ner("dropout"): 0.0})
        examples = [
            Example.from_dict(nlp.make_doc(text), {"entities": [(0, 4, "PER")]})
            for text in ("Anna Berg lives in Oslo . " * 9, "Anna is in Lima .", "Anna " * 30)
        ]
        shim = shim_of(nlp)
        calls: list[int] = []
        begin = shim.begin_update

        def counted(inputs: Any) -> Any:
            calls.append(len(inputs.kwargs["input_ids"]))
            return begin(inputs)

        monkeypatch.setattr(shim, "begin_update", counted)
        losses = nlp.update(examples, sgd=False, drop=0.0)
        gradients = {n: p.grad for n, p in shim._model.named_parameters() if p.grad is not None}
        return losses["ner"], gradients, len(calls)

    once, groups = learn(99999), learn(0)
    assert (once[2], groups[2]) == (1, 3)
    assert groups[0] == pytest.approx(once[0], rel=1e-5)
    assert groups[1].keys() == once[1].keys()
    assert sum(float(g.abs().sum()) for g in once[1].values()) > 0.01
    for name, gradient in once[1].items():
        assert torch.allclose(groups[1][name], gradient, atol=1e-5), name


def vectors(nlp: spacy.Language, doc: Doc) -> Any:
    """A document's vectors of tokens, as the head gets them."""
    return nlp.get_pipe("ner").model.layers[0].predict([doc])[0]


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


def test_an_encoder_of_another_kind_takes_tokens_too(tmp_path: Path, build: Build) -> None:
    """RoBERTa's tokenizer wants to be told that tokens begin like words."""
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


def test_replacing_listeners_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="cannot replace a listener"):
        build().replace_listeners("transformer", "ner", ["model.tok2vec"])


def test_frozen_steps_move_nothing_and_then_everything(build: Build) -> None:
    nlp = build(**{encoder_key("frozen_steps"): 5})
    before = weights(nlp)
    train(nlp, steps=5)
    assert not moved(before, weights(nlp))
    train(nlp, steps=1)
    assert any("attention" in name for name in moved(before, weights(nlp)))


def test_version_1_of_the_model_ignores_word_dropout(build: Build) -> None:
    """Wheels that were built before version 2 name it in their config."""
    version = {encoder_key("@architectures"): "bert_ner.TransformerModel.v1"}
    old = build(**version, **{encoder_key("word_dropout"): 0.4})
    assert find_entities(old, TEXTS) == find_entities(build(), TEXTS)


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
