"""The public registry names of the pipes, all in one place.

The first copy of this file that a process imports registers the names: the repository's
copy through its entry points, or the copy in the first wheel that is loaded. It serves
every pipeline in the process. If the arguments of a registered function change, the
function gets a new version and the old version stays.
"""

from collections.abc import Callable
from typing import Any

import spacy_transformers  # noqa: F401  (creates the registries of span getters and setters)
from spacy.language import Language
from spacy.util import registry

from .batching import make_batch_by_pieces
from .factory import DEFAULTS, SCORE_WEIGHTS, make_token_classifier_ner
from .head import make_token_classifier
from .listener import make_listener
from .logger import make_logger
from .scorer import make_ner_scorer
from .transformer import make_transformer_model, make_transformer_model_v1
from .windows import make_windows

NAMES: dict[str, dict[str, Callable[..., Any]]] = {
    "architectures": {
        "bert_ner.TokenClassifier.v1": make_token_classifier,
        "bert_ner.TransformerListener.v1": make_listener,
        "bert_ner.TransformerModel.v1": make_transformer_model_v1,
        "bert_ner.TransformerModel.v2": make_transformer_model,
    },
    "batchers": {"bert_ner.batch_by_pieces.v1": make_batch_by_pieces},
    "loggers": {"bert_ner.logger.v1": make_logger},
    "scorers": {"bert_ner.ner_scorer.v1": make_ner_scorer},
    "span_getters": {"bert_ner.windows.v1": make_windows},
}
FACTORY = "token_classifier_ner"


def register() -> None:
    """Register every name that is not registered yet."""
    for kind, functions in NAMES.items():
        for name, function in functions.items():
            if not registry.has(kind, name):
                getattr(registry, kind)(name, func=function)
    if not Language.has_factory(FACTORY):
        Language.factory(
            FACTORY,
            func=make_token_classifier_ner,
            assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"],
            default_config=DEFAULTS,
            default_score_weights=SCORE_WEIGHTS,
        )


register()
