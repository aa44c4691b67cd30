"""Tags in both schemes."""

import pytest

from bert_ner.pipes.tags import MISSING, Tagset


def test_gold_tags_in_both_schemes_and_missing_ones() -> None:
    biluo = ["B-A", "I-A", "L-A", "U-B", "O", None, "-", "U-A"]
    for scheme, expected in {
        "biluo": ["B-A", "I-A", "L-A", "U-B", "O", None, None, "U-A"],
        "iob2": ["B-A", "I-A", "I-A", "B-B", "O", None, None, "B-A"],
    }.items():
        tagset = Tagset(("A", "B"), scheme)
        columns = tagset.encode(biluo)
        assert [None if c == MISSING else tagset.tags[c] for c in columns] == expected
        assert tagset.spans(columns[:5]) == [(0, 3, "A"), (3, 4, "B")]
    with pytest.raises(ValueError, match="'C' is not one of A, B"):
        Tagset(("A", "B")).encode(["U-C"])
