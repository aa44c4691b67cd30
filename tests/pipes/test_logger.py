"""The log of a training, and the scores that go into it."""

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from bert_ner.pipes.logger import make_logger
from bert_ner.pipes.scorer import ner_score
from tests.pipes.training import Build, make_examples, ner, train


def info(step: int, losses: dict[str, float], scores: dict[str, Any]) -> dict[str, Any]:
    return {
        "epoch": step // 10,
        "step": step,
        "seconds": step,
        "words": 100 * step,
        "score": scores["ents_f"],
        "losses": losses,
        "other_scores": scores,
    }


def test_every_evaluation_is_a_line_with_mean_losses_and_all_numbers(
    tmp_path: Path, build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    nlp = build()
    nlp.config["system"] = {"steps": 20}
    nlp.config["training"] = {
        "max_steps": "${system.steps}",
        "eval_frequency": 10,
        "accumulate_gradient": 2,
        "score_weights": {"ents_f": 1.0, "ents_p": None},
    }
    file = tmp_path / "new" / "log.jsonl"
    (tmp_path / "new").mkdir()
    file.write_text("from an earlier training\n")
    heard: list[Any] = []

    def also(*_: Any) -> tuple[Any, Any]:
        return heard.append, lambda: heard.append("end")

    log, end = make_logger(output_file=str(file), also=also)(nlp)
    scores: dict[str, Any] = {
        "ents_f": 0.5,
        "ents_loss": 0.25,
        "ents_acc": None,
        "speed": 9.0,
        "ents_per_type": {"LOC": {}},
    }
    log(info(0, {"transformer": 2.0, "ner": 6.0}, scores))
    log(None)
    log(info(10, {"transformer": 2.0, "ner": 10.0}, {**scores, "ents_acc": 0.9}))
    end()
    printed = capsys.readouterr().out
    assert "100 words a second, 0 minutes left" in printed
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first["train_loss"] == {"transformer": 1.0, "ner": 3.0}
    assert first["dev"] == {"ents_f": 0.5, "ents_loss": 0.25}
    assert second["train_loss"] == {"transformer": 0.1, "ner": 0.5}
    assert second["dev"] == {"ents_f": 0.5, "ents_loss": 0.25, "ents_acc": 0.9}
    assert (second["epoch"], second["step"], second["words"], second["score"]) == (1, 10, 1000, 0.5)
    assert [entry if entry is None or entry == "end" else entry["step"] for entry in heard] == [
        *(0, None, 10, "end")
    ]
    assert "50.00" in printed


def test_accuracy_is_that_of_iob2_tags() -> None:
    nlp = spacy.blank("en")
    words = ["Anna", "Maria", "Berg", "saw", "Oslo"]
    gold, predicted = Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words)
    gold.ents = [Span(gold, 0, 3, "PER"), Span(gold, 4, 5, "LOC")]
    predicted.ents = [Span(predicted, 0, 2, "PER"), Span(predicted, 4, 5, "ORG")]
    scores = ner_score([Example(predicted, gold)])
    # B-PER and I-PER and O are right, the third word of the name and Oslo are not
    assert scores["ents_acc"] == 3 / 5
    assert scores["ents_f"] == 0.0
    partly = Doc(nlp.vocab, words=words, ents=["B-PER", "I-PER", "", "", ""])
    assert ner_score([Example(predicted, partly)])["ents_acc"] == 1.0
    assert ner_score([Example(predicted, Doc(nlp.vocab, words=words))])["ents_acc"] is None


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
