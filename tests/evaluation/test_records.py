"""The metrics file."""

import re
from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.evaluation.records import SCHEMA, Metrics, SplitReport, read_metrics
from bert_ner.files import read_json
from tests.conftest import ROOT
from tests.evaluation.helpers import Evaluated


def test_metrics_of_another_schema_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    for content in ("{}", "[]", f'{{"schema": {SCHEMA + 1}}}'):
        path.write_text(content)
        with pytest.raises(InputError, match=r"m\.json: expected metrics of schema 1, found"):
            read_metrics(path)


def test_the_records_name_all_keys_of_the_file(evaluated: Evaluated) -> None:
    metrics = read_metrics(evaluated.output)
    assert set(metrics) == set(Metrics.__annotations__)
    for split in metrics["splits"].values():
        assert set(split) == set(SplitReport.__annotations__)


def test_the_documentation_names_all_keys_of_the_file(evaluated: Evaluated) -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    stored = read_json(evaluated.output)
    missing = [
        key
        for key in (*stored, *stored["splits"]["test"])
        if not re.search(rf"[`.]{key}[`.]", text)
    ]
    assert missing == []
