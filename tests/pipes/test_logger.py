"""The training log."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bert_ner.pipes.logger import Info, make_logger
from tests.pipes.training import Build


def info(step: int, losses: dict[str, float], scores: Mapping[str, Any]) -> Info:
    return {
        "epoch": step // 10,
        "step": step,
        "seconds": step,
        "words": 100 * step,
        "score": scores["ents_f"],
        "losses": losses,
        "other_scores": scores,
    }


SCORES: Mapping[str, Any] = {
    "ents_f": 0.5,
    "ents_loss": 0.25,
    "ents_acc": None,
    "speed": 9.0,
    "ents_per_type": {"LOC": {}},
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
    log(info(0, {"transformer": 2.0, "ner": 6.0}, SCORES))
    log(None)
    log(info(10, {"transformer": 2.0, "ner": 10.0}, {**SCORES, "ents_acc": 0.9}))
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
