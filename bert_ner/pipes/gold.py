"""Gold tags and labels of examples."""

from collections.abc import Iterable

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.training import Example, iob_to_biluo
from torch import Tensor, tensor

from .tags import Tagset


def gold_tags(example: Example) -> list[str | None]:
    """The gold BILUO tags of the predicted tokens, None or "-" if unknown.

    Skips the alignment, which is slow, if the predicted tokens are those of the reference.
    """
    gold = example.reference
    texts = (doc.to_array([ORTH]) for doc in (example.predicted, gold))
    if not np.array_equal(*texts) or any(token.ent_iob == 0 for token in gold):
        return list(example.get_aligned_ner())
    return list(iob_to_biluo([f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in gold]))


def gold_columns(examples: Iterable[Example], tagset: Tagset) -> list[Tensor]:
    """The columns of the gold tags, for each example whose predicted document has tokens.

    RAISES (ValueError): If a gold label is not in the tag set.
    """
    return [
        tensor(tagset.encode(gold_tags(example))) for example in examples if len(example.predicted)
    ]


def gold_labels(examples: Iterable[Example]) -> set[str]:
    """The labels of the gold entities."""
    return {ent.label_ for example in examples for ent in example.reference.ents}


def is_encoded(doc: Doc) -> bool:
    """Whether a `transformer` component has stored its output with the document."""
    return doc.has_extension("trf_data") and doc._.trf_data is not None
