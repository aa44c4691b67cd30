"""Tables of results, and the pages that show them."""

from pathlib import Path
from typing import cast

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.records import Scores
from bert_ner.evaluation.result_groups import group_runs
from bert_ner.evaluation.results_tables import (
    fill_in,
    render_confidence,
    render_cost,
    render_results,
    render_scores,
    render_summary,
    write_results,
)
from bert_ner.files import write_json
from tests.conftest import ROOT

RESULTS = ROOT / "docs" / "results"


def make_run(f1: float, seed: int, *, corpus: str = "News", kind: str = "user") -> Scores:
    score = {"precision": 0.9, "recall": 0.8, "f1": f1, "words_per_second": 1000}
    training = {
        "recipe": "config",
        "encoder": "tiny",
        "epochs": 4,
        "seed": seed,
        "seconds": 600,
        "peak_memory_mb": 2048,
    }
    run = {
        "trained_on": corpus,
        "source": {"title": corpus, "kind": kind},
        "training": training,
        "scores": {"dev": score, "test": dict(score)},
        "machine": "a machine",
        "date": "2026-01-01",
    }
    return cast(Scores, run)


def test_median_of_several_runs() -> None:
    groups = group_runs([make_run(0.7, 1), make_run(0.9, 2), make_run(0.8, 3)])
    row = render_scores(groups).splitlines()[-1]
    assert "| News | News | `config` | tiny, 4 epochs | 80.00 | 90.00 | 80.00 |" in row
    assert "| **80.00** (70.00 to 90.00) | 3 (seeds 1, 2, 3) |" in row
    assert "| 10 | 2.0 GB | 1,000 | a machine, 2026-01-01 |" in render_cost(groups)
    summary = render_summary(groups).splitlines()[-1]
    assert summary == ("| News | `config` | tiny | 80.00 | **80.00** (70.00 to 90.00) | – | 3 |")


def test_confidence_has_its_table() -> None:
    run = make_run(0.7, 1)
    assert render_confidence(group_runs([run])).count("\n") == 2  # no row
    thresholds = {"0.9": {"precision": 0.97, "recall": 0.751, "kept": 0.5}}
    run["scores"]["test"]["confidence"] = {
        "mentions": 9,
        "ece": 0.0217,
        "thresholds": thresholds,  # type: ignore[typeddict-item]
        "ece_uncalibrated": None,
    }
    groups = group_runs([run])
    assert "| tiny, 4 epochs | 0.022 | 97.0 | 75.1 |" in render_confidence(groups)
    assert "| **70.00** | 0.022 | 1 |" in render_summary(groups)


def test_a_single_run_says_so() -> None:
    assert "**70.00** | 1 (seed 1)" in render_scores(group_runs([make_run(0.7, 1)]))


def test_real_corpora_come_first_and_other_test_corpora_last() -> None:
    other = make_run(0.5, 1, corpus="B")
    other["trained_on"] = "A sample"
    sample = make_run(0.6, 1, corpus="A sample", kind="sample")
    groups = group_runs([other, sample, make_run(0.7, 1, corpus="B")])
    assert [(group.trained_on, group.scored_on) for group in groups] == [
        ("B", "B"),
        ("A sample", "A sample"),
        ("A sample", "B"),
    ]
    summary = render_summary(groups)
    assert summary.startswith("| trained and scored on |")
    assert summary.count("\n") == 4


def test_missing_marker(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(InputError, match=r"page\.md: the markers <!-- SCORES START -->"):
        fill_in(page, {"SCORES": "| a |\n"})


def test_pages_are_written_together(tmp_path: Path) -> None:
    readme, page = tmp_path / "README.md", tmp_path / "results.md"
    markers = "<!-- {0} START -->\nold\n<!-- {0} END -->\n"
    readme.write_text("# Title\n\n" + markers.format("SCORES") + "End.\n")
    page.write_text("no markers")
    with pytest.raises(InputError, match=r"results\.md"):
        write_results(readme, page, RESULTS)
    assert "old" in readme.read_text()
    names = ("SCORES", "CONFIDENCE", "COST", "EXAMPLES", "AUDIT")
    page.write_text("\n".join(map(markers.format, names)))
    write_results(readme, page, RESULTS)
    summary, tables = render_results(RESULTS)
    assert readme.read_text().startswith("# Title\n\n<!-- SCORES START -->\n| trained and scored")
    assert readme.read_text().endswith("<!-- SCORES END -->\nEnd.\n")
    assert summary["SCORES"] in readme.read_text()
    assert all(table in page.read_text() for table in tables.values())


@pytest.mark.parametrize(("page", "columns"), [("README.md", 7), ("docs/results.md", 9)])
def test_pages_show_the_committed_results(page: str, columns: int) -> None:
    summary, tables = render_results(RESULTS)
    sections = summary if page == "README.md" else tables
    assert fill_in(ROOT / page, sections) == (ROOT / page).read_text(encoding="utf-8")
    for table in sections.values():
        assert all(line.count("|") <= columns + 1 for line in table.splitlines())


def test_an_unknown_folder_of_results_is_a_recipe(tmp_path: Path) -> None:
    write_json(tmp_path / "mine" / "a.json", make_run(0.7, 1))
    write_json(tmp_path / "ablation" / "b.json", {})
    write_json(tmp_path / "examples.json", {"pipeline": "p", "trained_on": "t", "examples": []})
    audit = {"pipeline": "p", "trained_on": "t", "training": {"recipe": "r", "seed": 1}}
    judged = {"changed_sentences": 0, "ranking": [], "f1": {"original": 0.5, "corrected": 0.6}}
    write_json(tmp_path / "audit.json", {**audit, **judged})
    summary, tables = render_results(tmp_path)
    assert "70.00" in summary["SCORES"]
    assert "`p`, trained on t" in tables["EXAMPLES"]
    assert "60.00 with the corrected one" in " ".join(tables["AUDIT"].split())
