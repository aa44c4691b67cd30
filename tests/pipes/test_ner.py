"""The component through spaCy: training, saving, annotating, and every switch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from bert_ner.pipes.confidence import Calibration
from bert_ner.pipes.gold import gold_tags
from tests.pipes.training import TEXTS, Build, encoder_key, find_entities, make_examples, ner, train

SURE = Calibration(1.7, slope=0.9, bias=0.3, unseen=-1.2, length=-0.4).with_seen([("oslo", "LOC")])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {ner("decoder"): "softmax", ner("scheme"): "iob2"},
        {ner("hidden_width"): 24, ner("activation"): "gelu", ner("shape_width"): 0},
        {ner("decoder"): "softmax", ner("class_weight"): 0.5},
        {ner("tok2vec__pooling"): {"@layers": "reduce_first.v1"}},
        {ner("tok2vec__pooling"): {"@layers": "reduce_max.v1"}},
        {encoder_key("get_spans__context"): 8, encoder_key("get_spans__max_pieces"): 24},
        {encoder_key("case_segments"): False},
    ],
    ids=lambda changes: ",".join(f"{k.split('__')[-1]}" for k in changes) or "default",
)
def test_learns_its_examples_with_every_switch(build: Build, changes: dict[str, Any]) -> None:
    nlp = build(**changes)
    train(nlp)
    scores = nlp.evaluate(make_examples(nlp, times=1))
    assert scores["ents_f"] == 1.0


@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_bytes_disk_and_pipe_give_equal_mentions_and_confidence(
    build: Build, tmp_path: Path, decoder: str
) -> None:
    nlp = build(**{ner("decoder"): decoder})
    train(nlp)
    nlp.get_pipe("ner").calibration = SURE
    expected = find_entities(nlp, TEXTS)
    assert sum(map(len, expected)) == 4
    nlp.to_disk(tmp_path / "pipeline")
    from_disk = spacy.load(tmp_path / "pipeline")
    from_bytes = spacy.blank("en", config=nlp.config).from_bytes(nlp.to_bytes())
    for loaded in (from_disk, from_bytes):
        assert loaded.get_pipe("ner").calibration == SURE
        assert find_entities(loaded, TEXTS) == expected
    singly = [[(e.text, e.label_, e._.confidence) for e in nlp(text).ents] for text in TEXTS]
    for one, batch in zip(singly, expected, strict=True):
        assert [m[:2] for m in one] == [m[:2] for m in batch]
        assert [m[2] for m in one] == pytest.approx([m[2] for m in batch], abs=1e-5)


def test_nothing_in_the_pipeline_is_a_pickle(build: Build, tmp_path: Path) -> None:
    nlp = build()
    nlp.to_disk(tmp_path / "pipeline")
    for path in (tmp_path / "pipeline").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PK\x03\x04" not in content  # torch.save's container
            assert b"ctorch._utils" not in content


def test_confidence_stands_at_the_entity_and_in_the_span_group(build: Build) -> None:
    nlp = build()
    train(nlp)
    doc = nlp(TEXTS[0])
    assert [(e.text, e.label_) for e in doc.ents] == [("Anna Berg", "PER"), ("Oslo", "LOC")]
    assert all(0 < ent._.confidence <= 1 for ent in doc.ents)
    group = doc.spans["ner"]
    assert [(s.start, s.end, s.label_) for s in group] == [
        (e.start, e.end, e.label_) for e in doc.ents
    ]
    assert group.attrs["scores"] == pytest.approx([e._.confidence for e in doc.ents])
    kept = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (again,) = DocBin().from_bytes(kept).get_docs(nlp.vocab)
    assert again.spans["ner"].attrs["scores"] == pytest.approx(group.attrs["scores"])


def test_min_confidence_drops_what_is_below(build: Build, tmp_path: Path) -> None:
    nlp = build()
    train(nlp, steps=25)
    confidences = [m[2] for text in find_entities(nlp, TEXTS) for m in text]
    assert len(confidences) > 1
    threshold = sorted(confidences)[1]
    nlp.to_disk(tmp_path / "pipeline")
    strict = spacy.load(
        tmp_path / "pipeline", config={"components": {"ner": {"min_confidence": threshold}}}
    )
    kept = [m[2] for text in find_entities(strict, TEXTS) for m in text]
    assert sorted(kept) == sorted(c for c in confidences if c >= threshold)
    with pytest.raises(ValueError, match="from 0 to 1"):
        nlp.add_pipe("token_classifier_ner", name="other", config={"min_confidence": 2})


def test_entities_that_are_there_already_stay(build: Build) -> None:
    nlp = build()
    train(nlp)
    doc = nlp.make_doc(TEXTS[0])
    doc.set_ents([Span(doc, 1, 2, label="GIVEN")])
    doc = nlp(doc)
    assert [(e.text, e.label_) for e in doc.ents] == [("Berg", "GIVEN"), ("Oslo", "LOC")]
    assert doc.ents[0]._.confidence is None
    assert [s.text for s in doc.spans["ner"]] == ["Oslo"]


def test_unusual_documents(build: Build) -> None:
    nlp = build()
    train(nlp, steps=5)
    texts = ["", "   \n\t ", "Oslo", "x" * 5000, "Anna Berg lives in Oslo . " * 3400, " Anna "]
    docs = list(nlp.pipe(texts))
    assert [len(doc) for doc in docs] == [0, 1, 1, 1, 20400, 2]
    for doc in docs:
        assert all(not ent[0].is_space and not ent[-1].is_space for ent in doc.ents)
    empty = Example(nlp.make_doc(""), nlp.make_doc(""))
    assert nlp.update([empty])["ner"] == 0.0
    assert nlp.update([empty, *make_examples(nlp), empty])["ner"] > 0.0
    mixed = [*[""] * 3, "x" * 5000, "Oslo " * 20000, *["Anna Berg lives in Oslo ."] * 60]
    alone = [m[2] for m in find_entities(nlp, mixed[-1:])[0]]
    assert [m[2] for m in find_entities(nlp, mixed)[-1]] == pytest.approx(alone, abs=1e-5)


def test_a_label_never_trained_is_an_error_in_training_and_a_miss_in_scoring(build: Build) -> None:
    nlp = build()
    doc = nlp.make_doc("Anna met Berg")
    doc.set_ents([Span(doc, 0, 1, label="NEW")], default="outside")
    example = Example(nlp.make_doc("Anna met Berg"), doc)
    with pytest.raises(ValueError, match="label 'NEW' is not one of LOC, ORG, PER"):
        nlp.update([example])
    assert nlp.evaluate([example])["ents_r"] == 0.0
    with pytest.raises(ValueError, match="is initialised"):
        nlp.get_pipe("ner").add_label("NEW")


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
    each.mean().backward()
    assert loss == pytest.approx(float(each.detach().mean()), rel=1e-5)
    assert leaf.grad is not None
    assert d_scores == pytest.approx(leaf.grad.numpy(), abs=1e-7)
    counts = np.bincount(gold, minlength=13) + 1.0
    assert (np.array(pipe.cfg["class_weights"]) * counts).sum() == pytest.approx(counts.sum())


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


def test_training_is_repeatable(build: Build) -> None:
    outputs = []
    for _ in range(2):
        nlp = build()
        train(nlp, steps=5)
        outputs.append(nlp.get_pipe("ner").model.layers[1].to_bytes())
    assert outputs[0] == outputs[1]


def test_a_model_without_a_calibration_loads(build: Build, tmp_path: Path) -> None:
    nlp = build()
    nlp.get_pipe("ner").calibration = SURE
    nlp.get_pipe("ner").cfg.pop("calibration")
    nlp.to_disk(tmp_path / "old")
    assert spacy.load(tmp_path / "old").get_pipe("ner").calibration == Calibration()


def test_calibration_changes_confidence_and_no_entity(build: Build) -> None:
    nlp = build()
    train(nlp)
    plain = find_entities(nlp, TEXTS)
    nlp.get_pipe("ner").calibration = SURE
    for before, after in zip(plain, find_entities(nlp, TEXTS), strict=True):
        assert [m[:2] for m in after] == [m[:2] for m in before]
        assert all(a[2] != b[2] for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("annotates", [("transformer", "tagger"), ("tagger",)])
def test_part_of_speech_tags_come_from_the_tagger_in_training(
    build: Build, annotates: tuple[str, ...]
) -> None:
    """With the tagger alone the listener sees zeros, and all tags are those of zero input."""
    nlp = build("pos")
    train(nlp, steps=40, annotates=("transformer", "tagger"))
    seen: list[list[str]] = []
    classifier = nlp.get_pipe("ner")
    get_loss = classifier.get_loss

    def watch(examples: list[Example], scores: Any) -> Any:
        seen.extend([token.tag_ for token in example.predicted] for example in examples)
        return get_loss(examples, scores)

    classifier.get_loss = watch
    train(nlp, steps=1, annotates=annotates)
    right = annotates == ("transformer", "tagger")
    assert (seen[0] == ["NNP", "NNP", "XX", "XX", "NNP", "."]) is right
    assert (len({tag for tags in seen for tag in tags}) > 1) is right


def test_part_of_speech_tags_come_from_the_tagger_at_run_time(build: Build) -> None:
    nlp = build("pos")
    train(nlp, annotates=("transformer", "tagger"))
    assert nlp.evaluate(make_examples(nlp, times=1))["ents_f"] == 1.0
    doc = nlp(TEXTS[0])
    assert [token.tag_ for token in doc] == ["NNP", "NNP", "XX", "XX", "NNP", "."]
    scores, _ = nlp.get_pipe("ner").score_tags([doc])
    for token in doc:
        token.tag_ = "XX"
    others, _ = nlp.get_pipe("ner").score_tags([doc])
    assert (scores[0] - others[0]).abs().max() > 1e-3


def test_gold_tags_of_equal_tokens_are_those_of_the_alignment(build: Build) -> None:
    nlp = build()
    words = ["Anna", "Berg", "Oslo", "met", "the", "big", "old", "EU", "."]
    gold = Doc(nlp.vocab, words=words)
    spans = [Span(gold, 0, 2, "PER"), Span(gold, 2, 3, "PER"), Span(gold, 4, 8, "ORG")]
    gold.set_ents(spans, default="outside")
    some = Doc(nlp.vocab, words=words)
    some.set_ents([Span(some, 0, 2, "PER")], default="missing")
    for reference, predicted in (
        (gold, words),
        (some, words),  # is not annotated as a whole
        (gold, ["Anna Berg", *words[2:]]),  # has other tokens
    ):
        example = Example(Doc(nlp.vocab, words=predicted), reference)
        assert gold_tags(example) == list(example.get_aligned_ner())
    assert gold_tags(Example(Doc(nlp.vocab, words=words), gold))[:3] == ["B-PER", "L-PER", "U-PER"]
