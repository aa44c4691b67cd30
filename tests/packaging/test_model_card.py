import re
from typing import Any

import pytest
from thinc.api import Config

from bert_ner.packaging.model_card import EXAMPLE, model_card

SCORE = {"precision": 0.8, "recall": 0.6, "f1": 0.6857, "support": 1234}
CONFIG = Config().from_str('[training]\ndropout = 0.25\n\n[components]\n\n[nlp]\nlang = "en"\n')


def meta(**changes: Any) -> Any:
    return {
        "lang": "en",
        "name": "bert_ner",
        "version": "1.2.3",
        "description": "Entities in ship logs.",
        "author": "the authors",
        "license": "MIT",
        "pipeline": ["transformer", "ner"],
        "labels": {"transformer": [], "ner": ["PORT", "SHIP"]},
        "requirements": ["spacy>=3.8,<3.9"],
        "sources": [{"name": "Ship logs", "url": "https://example.org", "license": "CC BY 4.0"}],
        "training": {
            "encoder": "tiny-bert",
            "recipe": "config",
            "seed": 7,
            "epochs": 5,
            "steps_per_epoch": 9,
            "machine": "2 cores",
            "date": "2026-01-02",
            "seconds": 60,
            "peak_memory_mb": 2048,
        },
        **changes,
    }


def metrics(**changes: Any) -> Any:
    interval = {"f1": [0.5, 0.75]}
    split = {
        "views": {"strict": SCORE},
        "labels": {"SHIP": {**SCORE, "interval_95": interval}},
        "interval_95": interval,
        "by": {"seen in training": {"unseen": {**SCORE, "f1": 0.5}}},
    }
    return {
        "splits": {"dev": split, "test": split},
        "scores": {
            "test": {
                "confidence": {
                    "ece": 0.0123,
                    "ece_uncalibrated": 0.2,
                    "thresholds": {"0.9": {"precision": 0.97, "recall": 0.5}},
                }
            }
        },
        "source": {"title": "Ship logs", "kind": "user", "where": "assets/own"},
        "raw_text": {**SCORE, "f1": 0.6},
        "robustness": {"lower case": {**SCORE, "f1": 0.4}},
        "seeds": None,
        "machine": "2 cores",
        "date": "2026-01-03",
        **changes,
    }


def test_figures_of_a_card_are_those_of_the_report() -> None:
    corpus = {
        "where": "assets/own",
        "files": {"a.txt": "f" * 64},
        "paper": "Melville, Moby-Dick",
        "labels": {"SHIP": "ships: Cutty Sark"},
    }
    card = model_card(meta(corpus=corpus), metrics(), CONFIG)
    row = "| `SHIP` | ships: Cutty Sark | 80.00 | 60.00 | 68.57 | 50.00 to 75.00 | 1,234 |"
    for text in (
        row,
        "| 0.9 | 97.00 | 50.00 |",
        "error on test is 0.012; without calibration it is 0.200",
        "| lower case | 40.00 | -28.57 |",
        f"| SHA-256 of `a.txt` | `{'f' * 64}` |",
        "dropout = 0.25",
        "@misc{en_bert_ner,",
        "author = {{the authors}}",
        "Please also cite the corpus: Melville, Moby-Dick.",
    ):
        assert text in card
    assert "generated text" not in card
    assert "[nlp]" not in card


def test_card_warns_of_a_pipeline_trained_on_the_sample() -> None:
    made_up = {"title": "built-in sample", "kind": "sample", "where": "here"}
    card = model_card(meta(corpus={"kind": "sample"}), metrics(), CONFIG)
    assert "trained on generated text" in card
    real = meta(corpus={"kind": "user"})
    assert "generated text" not in model_card(real, metrics(source=made_up), CONFIG)


def test_card_has_every_label_and_marks_unknown_ones() -> None:
    given = metrics()
    given["splits"]["test"]["labels"]["CREW"] = {**SCORE, "interval_95": None}
    card = model_card(meta(), given, CONFIG)
    assert "| `PORT` |  | – | – | – | – | 0 |" in card
    assert "| `CREW` |  (not a label of the pipeline) |" in card


def test_card_says_where_the_pipeline_runs() -> None:
    anywhere = "no network and no GPU; it uses a GPU after `spacy.prefer_gpu()`. `ent._.conf"
    assert anywhere in model_card(meta(), metrics(), CONFIG)
    only_on_a_cpu = meta(requirements=["spacy>=3", "onnxruntime>=1.20,<2"])
    card = model_card(only_on_a_cpu, metrics(), CONFIG)
    assert "It needs no network and no GPU, and cannot run on a GPU. `ent._.conf" in card


def test_card_of_a_pipeline_without_confidence() -> None:
    card = model_card(meta(), metrics(scores={"test": {"confidence": None}}), CONFIG)
    assert "confidence" not in card


def test_card_gives_the_spread_over_seeds() -> None:
    card = model_card(meta(), metrics(seeds={"runs": 3, "mean": 90.0, "sd": 0.25}), CONFIG)
    assert "Over 3 trainings that differ only in their seed, F1 on test is 90.00 ± 0.25" in card


@pytest.mark.parametrize("label", ["A|B", "`A`", "<script>alert(1)</script>", "A\nB", "R&D"])
def test_hostile_label_stays_in_its_cell(label: str) -> None:
    given = metrics()
    given["splits"]["test"]["labels"] = {label: {**SCORE, "interval_95": None}}
    card = model_card(meta(), given, CONFIG)
    (row,) = [line for line in card.splitlines() if line.endswith("| – | 1,234 |")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 8
    assert row.count("`") == 2
    shown = row.split("`")[1]
    assert shown == {"A|B": "A\\|B", "`A`": "'A'", "A\nB": "A B"}.get(label, label)


def test_hostile_meta_is_text_and_no_link() -> None:
    bad = {"name": "](x)<b>", "url": "javascript:alert(1)", "license": "a|b"}
    hostile = meta(description="<script>x</script>", sources=[bad], author="A_1 & {b}")
    card = model_card(hostile, metrics(), CONFIG)
    assert "<script" not in card
    assert "javascript:" not in card
    assert "<b>" not in card
    assert "author = {{A\\_1 \\& b}}," in card
    assert "title  = {en\\_bert\\_ner 1.2.3: a spaCy" in card


def test_example_is_of_the_corpus_or_the_default() -> None:
    movies = meta(corpus={"example": 'films with "lena holm"'})
    assert 'nlp("films with \\"lena holm\\"").ents' in model_card(movies, metrics(), CONFIG)
    assert f'nlp("{EXAMPLE}").ents' in model_card(meta(corpus={"example": ""}), metrics(), CONFIG)
