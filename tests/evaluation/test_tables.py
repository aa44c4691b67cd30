from pathlib import Path
from typing import Any

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.results_tables import fill_in, render_scores
from bert_ner.files import write_json
from tests.conftest import ROOT


def run(f1: float, seed: int) -> dict[str, Any]:
    score = {"precision": 0.9, "recall": 0.8, "f1": f1, "words_per_second": 1000}
    return {
        "trained_on": "News",
        "source": {"title": "News"},
        "training": {
            "recipe": "config",
            "encoder": "tiny",
            "epochs": 4,
            "seed": seed,
            "seconds": 600,
            "peak_memory_mb": 2048,
        },
        "scores": {"dev": score, "test": score},
        "machine": "a machine",
        "date": "2026-01-01",
    }


def test_median_of_several_runs() -> None:
    row = render_scores([run(0.7, 1), run(0.9, 2), run(0.8, 3)]).splitlines()[-1]
    assert "| `config` | tiny, 4 epochs |" in row
    assert "**80.00** (70.00 to 90.00) | 3 (seeds 1, 2, 3) | no confidence |  | 10 | 2.0 GB" in row


def test_confidence_has_its_columns() -> None:
    sure = run(0.7, 1)
    thresholds = {"0.9": {"precision": 0.97, "recall": 0.751}}
    sure["scores"]["test"]["confidence"] = {"ece": 0.0217, "thresholds": thresholds}
    assert "| 1 (seed 1) | 0.022 | 97.0, 75.1 | 10 |" in render_scores([sure])


def test_single_run_says_so() -> None:
    assert "**70.00** | 1 (seed 1)" in render_scores([run(0.7, 1)])


def test_missing_marker(tmp_path: Path) -> None:
    write_json(tmp_path / "examples.json", {"pipeline": "p", "trained_on": "t", "examples": []})
    with pytest.raises(InputError, match="SCORES START"):
        fill_in("nothing", tmp_path)


def test_readme_shows_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text()
    assert fill_in(readme, ROOT / "docs" / "results") == readme
