"""Targets are met or missed."""

from bert_ner.benchmark.inference import SAMPLES
from bert_ner.benchmark.records import StreamRow
from bert_ner.benchmark.targets import ON_CPU, explain_missed, first_tenth, judge
from tests.benchmark.helpers import make_record


def test_targets_for_a_cpu() -> None:
    targets = judge(make_record())
    assert len(targets) == len(ON_CPU) + 3
    assert [one["found"] for one in targets] == [0.95, 1.9, 3.167, 1.7, 0.05, 1.1, 1.01]
    assert all(one["met"] for one in targets)
    assert explain_missed(targets) == ""
    slow = [{"system": "ours", "ratio_to_loop": 1.2}]
    growing = [{"words": i + 1, "resident_mb": 100 + 10 * i} for i in range(SAMPLES)]
    rows = [{**row, "words_per_second": 80} for row in make_record()["rows"]]
    loss = {"f1": {"before": 0.9, "after": 0.896}}
    missed = judge(make_record(rows=rows, training=slow, stream=growing, int8=loss))
    assert [one["met"] for one in missed] == [True, *[False] * 6]
    assert explain_missed(missed).startswith(
        "ours / stock, words a second, documents: 1.0, target 1.65; ours / hf-pipeline-32"
    )
    assert len(judge(make_record(stream=[]))) == len(ON_CPU) + 2


def test_targets_for_a_gpu() -> None:
    trained = {"machine": "a GPU", "epochs": 5, "seconds": 170, "seconds_to_goal": 40}
    entries = {"gpu": True, "machine": "a GPU", "int8": None, "trained": trained, "stream": []}
    assert [(one["found"], one["bar"], one["met"]) for one in judge(make_record(**entries))] == [
        (1.9, 10.0, False),
        (170, 180, True),
        (40, 180, True),
    ]
    memory = [{"words": n, "resident_mb": 100, "gpu_mb": 10 * n} for n in (10, 20, 100)]
    grown = make_record(**{**entries, "stream": memory})
    assert sorted((one["found"], one["met"]) for one in judge(grown)[3:]) == [
        (1.0, True),
        (10.0, False),
    ]
    elsewhere = {"trained": {**trained, "machine": "another"}}
    slow = {"trained": {**trained, "seconds_to_goal": None}}
    for change, missed in ((elsewhere, 2), ({"trained": None}, 2), (slow, 1)):
        targets = judge(make_record(**{**entries, **change}))[1:]
        last = [(one["found"], one["met"]) for one in targets][-missed:]
        assert last == [(None, False)] * missed


def test_the_first_tenth_of_a_stream_ends_by_its_words() -> None:
    rows: list[StreamRow] = [{"words": n, "resident_mb": n} for n in (5, 12, 40, 100)]
    assert first_tenth(rows) == rows[1]
    assert first_tenth(rows[:1]) == rows[0]
    assert first_tenth([]) is None
