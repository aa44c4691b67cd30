"""The description of a pipeline for clients of the service."""

from pathlib import Path

from spacy.language import Language

from ..annotation.annotator import labels_of
from ..loading import find_confidence_pipe, trained_on, training_of
from .limits import Limits
from .models import Model, Sizes


def describe(nlp: Language, limits: Limits) -> Model:
    """Build the answer of `GET /v1/model`, without the names of folders."""
    meta = nlp.meta
    training = training_of(nlp)
    encoder = training["encoder"]
    scores = {k: v for k, v in (meta.get("performance") or {}).items() if k.startswith("ents_")}
    return Model(
        name=f"{meta['lang']}_{meta['name']}",
        version=meta["version"],
        description=meta["description"],
        labels=labels_of(nlp),
        gives_scores=find_confidence_pipe(nlp) is not None,
        trained_on=trained_on(nlp),
        training={
            "recipe": training["recipe"],
            "encoder": Path(encoder).name if encoder else None,
            "epochs": training["epochs"],
            "seed": training["seed"],
        },
        performance=scores,
        limits=Sizes(chars=limits.chars, texts=limits.texts),
    )
