"""The benchmark on the tiny encoder: it takes turns, judges and writes, whatever the figures."""

import time
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmark import BARS, SAMPLES, first_tenth, judge, main, require_encoder
from scripts.convert import convert_corpus
from scripts.corpora.registry import CORPORA
from scripts.encoder import Encoder
from scripts.errors import InputError
from scripts.files import read_json, sha256, write_json
from scripts.optimize import optimize
from scripts.speed import systems, training
from scripts.speed.texts import count_words, read_texts, stream, take_words
from scripts.speed.worker import Worker
from tests.pipes.training import Build, train


@pytest.fixture
def corpus(assets: Path, tmp_path: Path) -> Path:
    for name in ("conll2003", "mit_movie"):
        convert_corpus(CORPORA[name], assets, tmp_path / "corpus" / name)
    return tmp_path / "corpus"


@pytest.fixture
def settings(
    build: Build,
    corpus: Path,
    encoder: Path,
    tmp_path: Path,
) -> systems.Settings:
    pytest.importorskip("onnxruntime")
    nlp = build()
    train(nlp, steps=10)
    nlp.to_disk(tmp_path / "pipeline")
    optimize(tmp_path / "pipeline", corpus / "conll2003" / "test.spacy", tmp_path / "int8")
    return systems.Settings(str(tmp_path / "pipeline"), str(tmp_path / "int8"), str(encoder))


def test_texts_are_of_three_kinds_and_end_with_a_text(corpus: Path) -> None:
    texts = read_texts(corpus)
    assert list(texts) == ["queries", "sentences", "documents"]
    assert texts["queries"][0].startswith("show me")
    assert texts["sentences"][0].endswith(".")
    assert count_words(texts["documents"][:1]) > count_words(texts["sentences"][:1])
    assert take_words(["a b", "c d", "e"], 3) == ["a b", "c d"]
    assert list(stream(["a b", "c"], 5)) == ["a b", "c", "a b"]


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_every_system_runs(name: str, settings: systems.Settings) -> None:
    run = systems.SYSTEMS[name](settings)
    texts = ["Anna Berg lives in Oslo .", "rain " * 700, "Lima"]
    assert run(texts) >= 0
    assert run(texts[:1]) >= 0


def test_the_loop_reads_every_word_piece(settings: systems.Settings) -> None:
    loop = systems.Loop(settings)
    # 3 letters and 2 special tokens; then windows of 126 and their 2
    assert loop(["a b c"]) == 5
    assert loop(["a " * 126 * 2]) == 256


@pytest.mark.parametrize("name", training.SYSTEMS)
def test_every_training_makes_steps(
    name: str, corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Encoder(name="tiny", path=encoder, why="")
    monkeypatch.setattr(training, "resolve", lambda *_, **__: tiny)
    load, half = training.SYSTEMS[name]
    run = load(training.Settings(data=str(corpus / "conll2003"), half=half))
    assert run(2) > 0
    assert run(500) >= 500  # again from the first document after the last


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return 7


def load_sleep(_: Any) -> Any:
    time.sleep(1.0)  # is not timed
    return sleep


def load_nothing(_: Any) -> Any:
    raise OSError("no such model")


def test_a_worker_times_the_task_alone_and_says_why_it_fails() -> None:
    worker = Worker("sleeper", load_sleep, None)
    timing = worker.run(0.3)
    assert 0.3 <= timing.seconds < 0.9
    assert (timing.done, timing.peak_mb > 10) == (7, True)
    with pytest.raises(InputError, match="sleeper: TypeError"):
        worker.run("soon")
    with pytest.raises(InputError, match="broken: OSError: no such model"):
        Worker("broken", load_nothing, None)


def record(**changes: Any) -> dict[str, Any]:
    speeds = {"ours": 95, "loop": 100, "stock": 50, "hf-pipeline-32": 30, "ours-int8": 170}
    memory = [100, 105, *[106] * (SAMPLES - 2)]
    f1 = {"before": 0.9, "after": 0.8995}
    return {
        "rows": [
            {"system": name, "texts": kind, "words_per_second": value if kind != "queries" else 1}
            for kind in ("queries", "documents")
            for name, value in speeds.items()
        ],
        "training": [
            {"system": "loop", "ratio_to_loop": 1.0},
            {"system": "ours", "ratio_to_loop": 1.1},
        ],
        "int8": {"f1": f1},
        "stream": [{"words": i + 1, "resident_mb": mb} for i, mb in enumerate(memory)],
        **changes,
    }


def test_bars_are_met_or_missed() -> None:
    bars = judge(record())
    assert len(bars) == len(BARS) + 3
    assert [bar["found"] for bar in bars] == [0.95, 1.9, 3.167, 1.7, 0.05, 1.1, 1.01]
    assert all(bar["met"] for bar in bars)
    slow = [{"system": "ours", "ratio_to_loop": 1.2}]
    grows = [{"words": i + 1, "resident_mb": 100 + 10 * i} for i in range(SAMPLES)]
    rows = [{**row, "words_per_second": 80} for row in record()["rows"]]
    costs = {"f1": {"before": 0.9, "after": 0.896}}
    missed = judge(record(rows=rows, training=slow, stream=grows, int8=costs))
    assert [bar["met"] for bar in missed] == [True, *[False] * 6]
    assert len(judge(record(stream=[]))) == len(BARS) + 2


def test_the_first_tenth_of_a_stream_ends_where_its_words_do() -> None:
    rows = [{"words": n, "resident_mb": n} for n in (5, 12, 40, 100)]
    assert first_tenth(rows) == rows[1]
    assert first_tenth(rows[:1]) == rows[0]
    assert first_tenth([]) is None


def test_the_others_get_the_encoder_that_the_pipeline_was_made_from(
    encoder: Path, tmp_path: Path
) -> None:
    tiny = Encoder(name="tiny", path=encoder, why="")
    made = {"encoder": "large", "encoder_sha256": sha256(encoder / "model.safetensors")}
    write_json(tmp_path / "meta.json", {"training": made})
    require_encoder(tmp_path, tiny)
    write_json(tmp_path / "meta.json", {"training": {**made, "encoder_sha256": "another"}})
    with pytest.raises(InputError, match="fine-tuned from large, and the others would have tiny"):
        require_encoder(tmp_path, tiny)


def test_the_command_writes_all_and_fails_where_a_bar_is_missed(
    settings: systems.Settings, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.benchmark.LENGTHS", (10, 40))
    monkeypatch.setattr("scripts.benchmark.BARS", (("ours", "loop", 1e9),))
    output, page = tmp_path / "metrics" / "speed.json", tmp_path / "docs" / "speed.md"
    with pytest.raises(InputError, match="missed: ours / loop, words a second"):
        main(
            Path(settings.pipeline),
            Path(settings.int8),
            corpus=corpus,
            output=output,
            page=page,
            rounds=1,
            stream_words=200,
        )
    found = read_json(output)
    assert {row["system"] for row in found["rows"]} == set(systems.SYSTEMS)
    assert {row["texts"] for row in found["rows"]} == {"queries", "sentences", "documents"}
    assert all(row["words_per_second"] > 0 and row["peak_mb"] > 0 for row in found["rows"])
    assert [row["words"] for row in found["growth"]][1] >= 40
    assert len(found["stream"]) == SAMPLES
    text = page.read_text()
    for name in systems.SYSTEMS:
        assert f"| `{name}` |" in text
    assert "**missed**" in text
    assert page.with_suffix(".svg").read_text().startswith("<svg")
