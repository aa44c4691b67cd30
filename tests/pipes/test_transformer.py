"""The transformer model: windows, groups of windows, copies."""

from typing import Any

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from bert_ner.pipes import transformer
from bert_ner.pipes.windows import make_windows
from tests.pipes.training import (
    TEXTS,
    Build,
    encoder_key,
    find_entities,
    ner,
    shim_of,
)


def test_windows_do_not_change_what_fits_into_one(build: Build) -> None:
    nlp = build()
    text = "Anna Berg lives in Oslo ."
    model = nlp.get_pipe("transformer").model
    once = nlp(text)._.trf_data.model_output.last_hidden_state
    model.attrs["get_spans"] = make_windows(max_pieces=99, context=20)
    assert nlp(text)._.trf_data.model_output.last_hidden_state == pytest.approx(once, abs=1e-6)


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


def test_replacing_listeners_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="cannot replace a listener"):
        build().replace_listeners("transformer", "ner", ["model.tok2vec"])


def test_version_1_of_the_model_ignores_word_dropout(build: Build) -> None:
    """Wheels that were built before version 2 name it in their config."""
    version = {encoder_key("@architectures"): "bert_ner.TransformerModel.v1"}
    old = build(**version, **{encoder_key("word_dropout"): 0.4})
    assert find_entities(old, TEXTS) == find_entities(build(), TEXTS)


def test_a_copy_of_the_model_has_its_own_encoder(trained: Language) -> None:
    model = trained.get_pipe("transformer").model
    docs = [trained.make_doc(text) for text in TEXTS[:3]]
    expected = model.predict(docs).model_output.last_hidden_state
    copied = model.copy()
    assert type(copied) is type(model)
    assert copied.id != model.id
    assert copied.get_dim("nO") == model.get_dim("nO")
    assert copied.transformer is not model.transformer
    with torch.no_grad():
        model.transformer.embeddings.word_embeddings.weight.zero_()
    hidden = copied.predict(docs).model_output.last_hidden_state
    assert torch.allclose(hidden, expected, atol=1e-6)


def test_a_model_gets_an_encoder_once(trained: Language) -> None:
    model = trained.get_pipe("transformer").model
    with pytest.raises(ValueError, match="has an encoder already"):
        model.attrs["set_transformer"](model, model.layers[0].shims[0]._hfmodel)


@pytest.mark.parametrize("processes", [1, 2])
def test_processes_find_the_same_entities(trained: Language, processes: int) -> None:
    docs = trained.pipe(TEXTS, n_process=processes, batch_size=2)
    assert [[(e.text, e.label_) for e in doc.ents] for doc in docs] == [
        [mention[:2] for mention in row] for row in find_entities(trained, TEXTS)
    ]
