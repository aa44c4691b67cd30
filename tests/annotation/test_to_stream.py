"""Records are written to a stream, and failures are reported."""

import io
import json
from pathlib import Path

import pytest

from bert_ner.annotation.inputs import Failure, Record
from bert_ner.annotation.options import FormatName, WorkerOptions
from bert_ner.annotation.to_stream import annotate_to_stream

FAILURE = Failure("in:2", "not valid JSON", "{")


@pytest.mark.parametrize("texts", [[], ["Oslo"], ["Oslo", None, "rain"], [None]])
def test_the_stream_is_one_list_and_failures_are_reported(
    texts: list[str | None], ruler: Path
) -> None:
    records = [Record("in", text) if text is not None else FAILURE for text in texts]
    stream, failures = io.StringIO(), list[Failure]()
    progress = annotate_to_stream(
        records,
        stream,
        options=WorkerOptions(str(ruler), FormatName.JSON),
        on_failure=failures.append,
    )
    annotations = json.loads(stream.getvalue())
    assert [annotation["text"] for annotation in annotations] == [t for t in texts if t]
    assert failures == [FAILURE] * texts.count(None)
    assert (progress.records, progress.failed) == (len(texts), len(failures))
