"""What the service says of its pipeline."""

from pathlib import Path

from spacy.language import Language

from ..annotation.annotator import labels_of
from ..loading import trained_on, training_of
from .limits import Limits
from .models import Model, Sizes

TOLD = ("recipe", "encoder", "epochs", "seed")  # of the training


def gives_scores(nlp: Language) -> bool:
    """Whether a pipeline says how sure it is of an entity."""
    return any(hasattr(pipe, "min_confidence") for _, pipe in nlp.pipeline)


def describe(nlp: Language, limits: Limits) -> Model:
    """What `GET /v1/model` answers: nothing of it names a folder."""
    meta = nlp.meta
    training = {key: training_of(nlp)[key] for key in TOLD}
    if training["encoder"]:
        training["encoder"] = Path(training["encoder"]).name
    scores = {k: v for k, v in (meta.get("performance") or {}).items() if k.startswith("ents_")}
    return Model(
        name=f"{meta['lang']}_{meta['name']}",
        version=meta["version"],
        description=meta["description"],
        labels=labels_of(nlp),
        gives_scores=gives_scores(nlp),
        trained_on=trained_on(nlp),
        training=training,
        performance=scores,
        limits=Sizes(chars=limits.chars, texts=limits.texts),
    )
