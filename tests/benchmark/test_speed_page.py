"""The page of the benchmark, for a CPU and for a GPU."""

from pathlib import Path

from bert_ner.benchmark.speed_page import render, write_page
from bert_ner.files import read_json
from tests.benchmark.helpers import make_record
from tests.conftest import ROOT


def test_the_page_of_a_gpu(tmp_path: Path) -> None:
    more = {"ratio_to_loop": 1.0, "gflops": 25.0, "range": [1, 200], "peak_mb": 10}
    rows = [{**row, **more} for row in make_record()["rows"] if row["system"] != "ours-int8"]
    epoch = {"system": "ours", "words_per_second": 9, "seconds_per_epoch": 3, "ratio_to_loop": 1.0}
    record = make_record(
        gpu=True,
        machine="2 cores, Card 9",
        int8=None,
        trained={"machine": "2 cores, Card 9", "epochs": 5, "seconds": 170, "seconds_to_goal": 40},
        rows=rows,
        training=[{**epoch, "peak_mb": 7}],
        growth=[{"words": n, "seconds": n / 100, "peak_mb": n} for n in (10, 40)],
        words={"queries": 1, "documents": 1},
        corpora=["A"],
        date="today",
        encoder="tiny",
        matrix_gflops=100,
        bars=[{"what": "seconds", "found": None, "bar": 180, "met": False}],
        stream=[{"words": n, "resident_mb": 5, "gpu_mb": n} for n in (10, 900)],
    )
    write_page(record, tmp_path / "speed-gpu.md")
    page = (tmp_path / "speed-gpu.md").read_text(encoding="utf-8")
    for part in (
        "Card 9",
        "`spacy project run benchmark-gpu`",
        "in half precision",
        "](speed-gpu.svg)",
        "| `ours` | 95 | 1 to 200 | 1.00 | 10 MB | 25.0 % |",
        "reached an F1 of 91 on dev after 40 seconds.",
        "on the GPU 900 MB and at most 900 MB.",
        "| seconds | – | 180 | **missed** |",
    ):
        assert part in page
    assert "int8" not in page
    assert (tmp_path / "speed-gpu.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_published_page_is_made_from_its_record() -> None:
    record = read_json(ROOT / "docs" / "results" / "speed.json")
    page = ROOT / "docs" / "speed.md"
    assert render(record, "speed.svg") == page.read_text(encoding="utf-8")
