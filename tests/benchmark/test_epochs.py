"""Time and memory of training."""

import json
from pathlib import Path

import pytest

from bert_ner.benchmark import epochs
from bert_ner.benchmark.epochs import measure_training, read_training_time
from bert_ner.files import write_json


def test_the_time_of_a_training(tmp_path: Path) -> None:
    training = {"machine": "here", "epochs": 2, "seconds": 90, "seed": 1}
    (tmp_path / "pipeline").mkdir()
    write_json(tmp_path / "pipeline" / "meta.json", {})
    assert read_training_time(tmp_path / "pipeline") is None
    write_json(tmp_path / "pipeline" / "meta.json", {"training": training})
    expected = {"machine": "here", "epochs": 2, "seconds": 90}
    assert read_training_time(tmp_path / "pipeline") == {**expected, "seconds_to_goal": None}
    log = [{"seconds": 10 * i, "dev": {"ents_f": f}} for i, f in enumerate((0.1, 0.92, 0.95))]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    assert read_training_time(tmp_path / "pipeline") == {**expected, "seconds_to_goal": 10}


@pytest.mark.usefixtures("inline_workers")
def test_systems_train_for_an_epoch_in_turns(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []

    def fake(name: str, done: int) -> object:
        def run(words: int) -> int:
            calls.append((name, words))
            return done

        return lambda _: run

    systems = {"ours": (fake("ours", 3), True), "loop": (fake("loop", 1), True)}
    monkeypatch.setattr(epochs, "SYSTEMS", systems)
    monkeypatch.setattr(epochs, "count_words", lambda _: 300)
    ours, loop = measure_training(corpus / "conll2003", str(encoder), 2, -1)
    assert calls == [("ours", 6), ("loop", 6), *[("ours", 150), ("loop", 150)] * 2]
    # 3 words in 40 ms, and 1 word in 20 ms
    assert ours["seconds_per_epoch"] == 4
    assert loop["seconds_per_epoch"] == 6
    assert (ours["ratio_to_loop"], loop["ratio_to_loop"]) == (0.667, 1.0)
