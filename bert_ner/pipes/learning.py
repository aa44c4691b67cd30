"""The loss of a token classifier on examples, and its gradient for thinc."""

from collections.abc import Iterable

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Model, torch2xp

from .gold import gold_columns, gold_labels, is_encoded
from .head import TagScores, to_torch
from .loss import token_loss
from .tags import Tagset

SCORED_TOGETHER = 16  # documents, a limit for memory


def get_loss(
    model: Model[list[Doc], TagScores],
    tagset: Tagset,
    examples: Iterable[Example],
    scores: TagScores,
    class_weights: list[float] | None,
) -> tuple[float, TagScores]:
    """The mean loss of a token and its gradient.

    model (Model[list[Doc], tuple[Floats2d, Floats2d]]): The token classifier.
    tagset (Tagset): Its tags.
    examples (Iterable[Example]): The examples.
    scores (tuple[Floats2d, Floats2d]): The model's output for them.
    class_weights (list[float] | None): A weight for each tag, for softmax only.
    RETURNS (tuple[float, tuple[Floats2d, Floats2d]]): The loss in nats, and its gradient
        with respect to the scores and the transitions.
    RAISES (ValueError): If a gold label is not in the tag set.
    """
    mean_loss, d_tags, d_transitions = token_loss(
        *to_torch(scores),
        gold_columns(examples, tagset),
        tagset=tagset,
        decoder=model.attrs["decoder"],
        weights=class_weights,
    )
    tags, transitions = scores
    return mean_loss, (
        model.ops.asarray(torch2xp(d_tags), dtype=tags.dtype),
        model.ops.asarray(torch2xp(d_transitions), dtype=transitions.dtype),
    )


def mean_loss(
    model: Model[list[Doc], TagScores], tagset: Tagset, examples: Iterable[Example]
) -> float | None:
    """The mean loss of a token over annotated examples, without class weights.

    The arguments are those of `get_loss`.
    RETURNS (float | None): The loss in nats. None if it is infinite, because a label was
        never trained, or unknown, because a document lacks the encoder's output.
    """
    full = [example for example in examples if len(example.predicted)]
    is_finite = gold_labels(full).issubset(tagset.labels)
    if not full or not is_finite or not all(is_encoded(example.predicted) for example in full):
        return None
    total = 0.0
    for batch in minibatch(full, SCORED_TOGETHER):
        scores = model.predict([example.predicted for example in batch])
        batch_loss, _ = get_loss(model, tagset, batch, scores, None)
        total += batch_loss * sum(len(example) for example in batch)
    return total / sum(len(example) for example in full)
