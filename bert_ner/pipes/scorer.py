"""Scores of entities: spaCy's own, and the accuracy of tags that papers report."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import get_ner_prf
from spacy.training import Example
from spacy.training.iob_utils import doc_to_biluo_tags

Scores = dict[str, Any]  # spaCy's type for scores, which may hold numbers, dicts and None
IOB2 = {"L": "I", "U": "B"}


def ner_score(examples: Iterable[Example], **kwargs: Any) -> Scores:
    """Score entities by strict match, and tokens by their IOB2 tags.

    examples (Iterable[Example]): Examples whose predicted documents are annotated.
    RETURNS (Scores): ents_p, ents_r, ents_f and ents_per_type from spaCy's own
        scorer, and ents_acc, the share of tokens with the right tag, from 0 to 1;
        None if no token has a gold tag.
    """
    examples = list(examples)
    scores: Scores = get_ner_prf(examples, **kwargs)
    right = known = 0
    for example in examples:
        predicted = doc_to_biluo_tags(example.predicted)
        for gold, tag in zip(example.get_aligned_ner(), predicted, strict=True):
            if gold not in (None, "-"):
                known += 1
                right += _iob2(gold) == _iob2(tag)
    return {**scores, "ents_acc": right / known if known else None}


def _iob2(tag: str) -> str:
    return IOB2.get(tag[0], tag[0]) + tag[1:]


def make_ner_scorer() -> Callable[..., Scores]:
    """Configure `ner_score` for `[components.ner.scorer]`."""
    return ner_score
