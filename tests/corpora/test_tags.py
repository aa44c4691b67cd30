import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.corpora.tags import Scheme, TagSpan, detect_scheme, spans_to_tags, tags_to_spans


@st.composite
def spans(draw: st.DrawFn) -> tuple[list[TagSpan], int]:
    """Random entities in a random sentence, many of them next to each other."""
    entities, end = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = end + draw(st.integers(0, 2))
        end = start + draw(st.integers(1, 4))
        entities.append(TagSpan(start, end, draw(st.sampled_from(["PER", "LOC", "I-O"]))))
    return entities, end + draw(st.integers(0, 2))


@given(spans(), st.sampled_from(Scheme))
def test_writing_and_reading_gives_the_same_spans(
    sentence: tuple[list[TagSpan], int], scheme: Scheme
) -> None:
    expected, length = sentence
    tags = spans_to_tags(expected, length, scheme)
    assert len(tags) == length
    assert tags_to_spans(tags, scheme) == (expected, 0)


@given(st.lists(spans(), min_size=1), st.sampled_from(Scheme))
def test_detected_scheme_reads_the_same_spans(
    sentences: list[tuple[list[TagSpan], int]], scheme: Scheme
) -> None:
    """Few tags can belong to two schemes; then both read the same."""
    tags = [spans_to_tags(entities, length, scheme) for entities, length in sentences]
    detected = detect_scheme(tags)
    for (expected, _), sentence in zip(sentences, tags, strict=True):
        assert tags_to_spans(sentence, detected) == (expected, 0)


TAGS = ["O", "B-X", "I-X", "L-X", "U-X", "B-Y", "I-Y", "L-Y", "U-Y", "E-X", "S-Y"]


@given(st.lists(st.sampled_from(TAGS)))
def test_any_tags_give_spans_in_order_without_overlap(tags: list[str]) -> None:
    entities, repairs = tags_to_spans(tags, Scheme.BILUO)
    ends = [0, *(span.end for span in entities)]
    assert all(end <= span.start < span.end for end, span in zip(ends, entities, strict=False))
    covered = {i for span in entities for i in range(span.start, span.end)}
    assert covered == {i for i, tag in enumerate(tags) if tag != "O"}
    assert 0 <= repairs <= 2 * len(tags)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("I-PER I-PER O I-LOC B-LOC", Scheme.IOB1),
        ("B-PER I-PER O B-LOC B-LOC", Scheme.IOB2),
        ("B-PER I-PER O I-LOC", Scheme.IOB2),  # one stray I- does not make IOB1
        ("B-PER L-PER O U-LOC", Scheme.BILUO),
        ("B-PER E-PER O S-LOC", Scheme.BILUO),
        ("O O", Scheme.IOB2),
    ],
)
def test_detect_scheme(tags: str, scheme: Scheme) -> None:
    assert detect_scheme([tags.split()]) is scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "expected", "repairs"),
    [
        ("O I-PER I-PER I-LOC", Scheme.IOB2, [(1, 3, "PER"), (3, 4, "LOC")], 2),
        ("O I-PER I-PER I-LOC", Scheme.IOB1, [(1, 3, "PER"), (3, 4, "LOC")], 0),
        ("I-PER B-PER", Scheme.IOB1, [(0, 1, "PER"), (1, 2, "PER")], 0),
        ("B-PER O", Scheme.BILUO, [(0, 1, "PER")], 1),
        ("L-PER U-PER", Scheme.BILUO, [(0, 1, "PER"), (1, 2, "PER")], 1),
        ("B-PER I-LOC L-LOC", Scheme.BILUO, [(0, 1, "PER"), (1, 3, "LOC")], 2),
    ],
)
def test_repairs_are_made_and_counted(
    tags: str, scheme: Scheme, expected: list[tuple[int, int, str]], repairs: int
) -> None:
    assert tags_to_spans(tags.split(), scheme) == ([TagSpan(*span) for span in expected], repairs)
