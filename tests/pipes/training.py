"""Small examples to train on, and what the tests of the pipes share."""

from collections.abc import Callable
from typing import Any

import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam

SENTENCES = [
    (["Anna", "Berg", "lives", "in", "Oslo", "."], [(0, 2, "PER"), (4, 5, "LOC")]),
    (["The", "EU", "met", "in", "Lima", "."], [(1, 2, "ORG"), (4, 5, "LOC")]),
    (["rain", "fell", "all", "day", "."], []),
]
TAGS = {"Anna": "NNP", "Berg": "NNP", "Oslo": "NNP", "Lima": "NNP", "EU": "NNP", ".": "."}

Build = Callable[..., Language]


def make_examples(nlp: Language, times: int = 4) -> list[Example]:
    examples = []
    for words, ents in SENTENCES * times:
        gold = Doc(nlp.vocab, words=words, tags=[TAGS.get(word, "XX") for word in words])
        gold.set_ents([Span(gold, *ent[:2], label=ent[2]) for ent in ents], default="outside")
        examples.append(Example(Doc(nlp.vocab, words=words), gold))
    return examples


def ner(key: str) -> str:
    return f"components__ner__model__{key}"


def encoder_key(key: str) -> str:
    return f"components__transformer__model__{key}"


def shim_of(nlp: Any) -> Any:
    return nlp.get_pipe("transformer").model.layers[0].shims[0]


def encoder_of(nlp: Any) -> Any:
    return nlp.get_pipe("transformer").model.transformer


def weights(nlp: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in encoder_of(nlp).state_dict().items()}


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def train(nlp: Language, steps: int = 60, annotates: tuple[str, ...] = ()) -> dict[str, float]:
    optimizer = nlp.resume_training(sgd=Adam(0.01, grad_clip=1.0, use_averages=False))
    losses: dict[str, float] = {}
    for _ in range(steps):
        # as spaCy's training loop does: `update` alone gives the encoder its gradient a step late
        losses = nlp.update(make_examples(nlp), sgd=False, annotates=annotates)
        for _, pipe in nlp.pipeline:
            pipe.finish_update(optimizer)
    return losses


def find_entities(nlp: Language, texts: list[str]) -> list[list[tuple[str, str, float]]]:
    return [[(e.text, e.label_, e._.confidence) for e in doc.ents] for doc in nlp.pipe(texts)]


TEXTS = ["Anna Berg lives in Oslo .", "", "The EU met in Lima .", "   ", "rain"]
