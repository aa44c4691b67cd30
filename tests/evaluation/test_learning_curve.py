"""The learning curve of a log."""

from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.learning_curve import read_learning, read_log
from bert_ner.evaluation.plots import plot_learning
from bert_ner.files import write_json
from tests.evaluation.helpers import LOG


def test_a_log_becomes_a_table(tmp_path: Path) -> None:
    line = (
        '{"epoch": 0, "step": 50, "seconds": 1, "words": 2, "score": 0.9,'
        ' "train_loss": {"transformer": 0.1, "ner": 0.3}, "dev": {"ents_f": 0.9, "ents_p": 0.8'
    )
    log = tmp_path / "log.jsonl"
    log.write_text(f'{line}, "ents_loss": 0.2}}}}\n{line}}}}}\n')
    with_loss, without = read_log(log, steps_per_epoch=100)
    assert (with_loss["epoch"], with_loss["f1"], with_loss["recall"]) == (0.5, 0.9, None)
    assert (with_loss["training_loss"], with_loss["dev_loss"]) == (0.3, 0.2)
    assert (without["training_loss"], without["dev_loss"]) == (None, None)
    assert "no loss per token" not in plot_learning([with_loss])
    assert "no loss per token" in plot_learning([without])
    broken = ['{"losses": {}}', '{"step": 1, "train_loss": {}, "dev": null}', "[1]", "\udcff"]
    broken.append('{"step": 1, "train_loss": {}, "dev": {"ents_f": "good"}}')
    for text in broken:
        log.write_bytes(text.encode("utf-8", "surrogateescape") + b"\n")
        with pytest.raises(InputError, match=r"log\.jsonl:1: not a line of bert_ner\.logger\.v1"):
            read_log(log, 100)


def test_the_log_is_next_to_the_pipeline(tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline"
    assert read_learning(pipeline) == []
    (tmp_path / "log.jsonl").write_text(LOG)
    assert read_learning(pipeline) == []
    write_json(tmp_path / "train.json", {"steps_per_epoch": 18})
    (step,) = read_learning(pipeline)
    assert (step["epoch"], step["accuracy"]) == (0.5, 0.95)
    for record in ("{}", "[]", '{"steps_per_epoch": 0}', '{"steps_per_epoch": "9"}'):
        (tmp_path / "train.json").write_text(record)
        with pytest.raises(InputError, match=r"train\.json: steps_per_epoch must be"):
            read_learning(pipeline)
