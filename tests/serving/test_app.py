"""The application as a whole."""

import pytest
from spacy.language import Language

from bert_ner.errors import InputError
from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits


def test_a_limit_above_the_pipeline_s_maximum(nlp: Language) -> None:
    with pytest.raises(
        InputError, match="--max-chars 1000001: the pipeline accepts at most 1,000,000"
    ):
        make_app(nlp, Limits(chars=1_000_001))
