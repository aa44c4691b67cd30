"""The factory of `token_classifier_ner` and its defaults."""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model

from .head import TagScores
from .ner import TokenClassifierNER
from .scorer import Scores

DEFAULT_MODEL = """
[model]
@architectures = "bert_ner.TokenClassifier.v1"

[model.tok2vec]
@architectures = "bert_ner.TransformerListener.v1"
grad_factor = 1.0
pooling = {"@layers":"reduce_mean.v1"}
"""
DEFAULTS = {
    "model": Config().from_str(DEFAULT_MODEL)["model"],
    "min_confidence": 0.0,
    "spans_key": "ner",
    "scorer": {"@scorers": "bert_ner.ner_scorer.v1"},
}
SCORE_WEIGHTS = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}


def make_token_classifier_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], TagScores],
    min_confidence: float,
    spans_key: str,
    scorer: Callable[..., Scores] | None,
) -> TokenClassifierNER:
    """Make a component that finds entities by classification of tokens.

    It replaces spaCy's `ner`. `ent._.confidence` is the probability that span and label
    of an entity are right. `doc.spans[spans_key].attrs["scores"]` holds the same numbers.

    model (Model[list[Doc], tuple[Floats2d, Floats2d]]): See `make_token_classifier`.
    min_confidence (float): Entities with a lower confidence are dropped, from 0 to 1.
    spans_key (str): Key of the entities and their scores in `doc.spans`.
    scorer (Callable | None): The scoring method.
    RETURNS (TokenClassifierNER): The component.
    RAISES (ValueError): If `min_confidence` is out of range.
    """
    return TokenClassifierNER(
        nlp.vocab,
        model,
        name,
        min_confidence=min_confidence,
        spans_key=spans_key,
        scorer=scorer,
    )
