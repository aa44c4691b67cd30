"""The component through spaCy: training, saving, annotation, and every option."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example

from bert_ner.pipes.confidence import Calibration
from bert_ner.pipes.ner import PREDICTED_TOGETHER
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
def test_learns_its_examples_with_every_switch(build: Build, changes: Mapping[str, Any]) -> None:
    nlp = build(**changes)
    train(nlp, steps=25)
    scores = nlp.evaluate(make_examples(nlp, times=1))
    assert scores["ents_f"] == 1.0


@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_bytes_disk_and_pipe_give_equal_mentions_and_confidence(
    build: Build, trained: Language, tmp_path: Path, decoder: str
) -> None:
    if decoder == "crf":
        nlp = trained
    else:
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


def test_unusual_documents(trained: Language) -> None:
    nlp = trained
    texts = ["", "   \n\t ", "Oslo", "x" * 5000, "Anna Berg lives in Oslo . " * 800, " Anna "]
    assert PREDICTED_TOGETHER < 4800
    docs = list(nlp.pipe(texts))
    assert [len(doc) for doc in docs] == [0, 1, 1, 1, 4800, 2]
    for doc in docs:
        assert all(not ent[0].is_space and not ent[-1].is_space for ent in doc.ents)
    empty = Example(nlp.make_doc(""), nlp.make_doc(""))
    assert nlp.update([empty])["ner"] == 0.0
    assert nlp.update([empty, *make_examples(nlp), empty])["ner"] > 0.0
    mixed = [*[""] * 3, "x" * 5000, "Oslo " * 5000, *["Anna Berg lives in Oslo ."] * 60]
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
    with pytest.raises(ValueError, match="is initialized"):
        nlp.get_pipe("ner").add_label("NEW")


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


def test_calibration_changes_confidence_and_no_entity(trained: Language) -> None:
    plain = find_entities(trained, TEXTS)
    trained.get_pipe("ner").calibration = SURE
    for before, after in zip(plain, find_entities(trained, TEXTS), strict=True):
        assert [m[:2] for m in after] == [m[:2] for m in before]
        assert all(a[2] != b[2] for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("annotates", [("transformer", "tagger"), ("tagger",)])
def test_part_of_speech_tags_come_from_the_tagger_in_training(
    tagged: Language, annotates: tuple[str, ...]
) -> None:
    """With the tagger alone the listener sees zeros, and all tags are those of zero input."""
    nlp = tagged
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


def test_part_of_speech_tags_come_from_the_tagger_at_run_time(tagged: Language) -> None:
    nlp = tagged
    assert nlp.evaluate(make_examples(nlp, times=1))["ents_f"] == 1.0
    doc = nlp(TEXTS[0])
    assert [token.tag_ for token in doc] == ["NNP", "NNP", "XX", "XX", "NNP", "."]
    scores, _ = nlp.get_pipe("ner").score_tags([doc])
    for token in doc:
        token.tag_ = "XX"
    others, _ = nlp.get_pipe("ner").score_tags([doc])
    assert (scores[0] - others[0]).abs().max() > 1e-3
