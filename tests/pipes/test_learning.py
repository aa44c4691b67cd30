"""The loss on examples."""

import numpy as np
import pytest
import torch
from spacy.tokens import Doc, Span
from spacy.training import Example

from tests.pipes.training import Build, make_examples, ner, train


def test_tokens_without_annotation_do_not_count(build: Build) -> None:
    for decoder in ("softmax", "crf"):
        nlp = build(**{ner("decoder"): decoder})
        doc = Doc(nlp.vocab, words=["Anna", "met", "Berg"])
        doc.set_ents([Span(doc, 0, 1, label="PER")], missing=[doc[1:3]])
        pipe = nlp.get_pipe("ner")
        scores = (np.random.rand(3, 13).astype("f"), np.zeros((14, 14), dtype="f"))
        gold = Example(Doc(nlp.vocab, words=["Anna", "met", "Berg"]), doc)
        loss, (d_scores, _) = pipe.get_loss([gold], scores)
        assert loss > 0
        assert np.abs(d_scores[0]).sum() > 0
        if decoder == "softmax":
            assert not d_scores[1:].any()


def test_softmax_loss_equals_pytorchs(build: Build) -> None:
    nlp = build(**{ner("decoder"): "softmax", ner("class_weight"): 1.0})
    pipe = nlp.get_pipe("ner")
    examples = make_examples(nlp)
    tokens = sum(len(example) for example in examples)
    scores = np.random.rand(tokens, 13).astype("f")
    loss, (d_scores, _) = pipe.get_loss(examples, (scores, np.zeros((14, 14), dtype="f")))
    leaf = torch.tensor(scores).requires_grad_()
    gold = [column for eg in examples for column in pipe.tagset.encode(eg.get_aligned_ner())]
    weight = torch.tensor(pipe.cfg["class_weights"]).float()
    each = torch.nn.functional.cross_entropy(leaf, torch.tensor(gold), weight, reduction="none")
    torch.autograd.backward(each.mean())
    assert loss == pytest.approx(float(each.detach().mean()), rel=1e-5)
    assert leaf.grad is not None
    assert d_scores == pytest.approx(leaf.grad.numpy(), abs=1e-7)
    counts = np.bincount(gold, minlength=13) + 1.0
    assert (np.array(pipe.cfg["class_weights"]) * counts).sum() == pytest.approx(counts.sum())


@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_the_loss_on_dev_is_that_of_its_tokens(build: Build, decoder: str) -> None:
    nlp = build(**{ner("decoder"): decoder})
    before = nlp.evaluate(make_examples(nlp, times=12))["ents_loss"]
    train(nlp, steps=30)
    scores = nlp.evaluate(make_examples(nlp, times=12))
    assert 0 < scores["ents_loss"] < before
    pipe = nlp.get_pipe("ner")
    examples = make_examples(nlp, times=12)
    for example in examples:
        example.predicted = nlp(example.predicted)
    expected, _ = pipe.get_loss(examples, pipe.model.predict([eg.predicted for eg in examples]))
    assert scores["ents_loss"] == pytest.approx(expected, rel=1e-4)
    bare = make_examples(nlp, times=1)  # which no transformer has seen
    assert "ents_loss" not in pipe.score(bare)
