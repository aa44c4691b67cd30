"""Named entities by classifying tokens, with a probability for each.

spaCy's own `ner` is a transition-based parser, whose scores are no
probabilities of entities. Here each token gets a score for every tag, the best
legal sequence of tags is decoded, and the probability of each mention is summed
over all legal sequences that contain it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, iob_to_biluo, validate_examples
from spacy.util import filter_spans, minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate, torch2xp, xp2torch
from torch import Tensor

from . import crf, loss
from .confidence import Calibration
from .crf import Mention
from .tags import Tagset, tagset

SCORED_TOGETHER = 16  # documents, for memory
PREDICTED_TOGETHER = 4096  # tokens, for memory


class TokenClassifierNER(TrainablePipe):
    """Finds entities by classifying tokens. See `make_token_classifier_ner`."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], tuple[Any, Any]],
        name: str = "ner",
        *,
        min_confidence: float = 0.0,
        spans_key: str = "ner",
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence = {min_confidence}: expected a number from 0 to 1")
        self.vocab = vocab
        self.model = model
        self.name = name
        self.min_confidence = min_confidence
        self.spans_key = spans_key
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"labels": []}
        self._calibration: tuple[Any, Calibration] | None = None  # as stored, and as read
        if not Span.has_extension("confidence"):
            Span.set_extension("confidence", default=None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of their tags."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """The labels, as `spacy init labels` writes them."""
        return list(self.labels)

    @property
    def tagset(self) -> Tagset:
        """The tags."""
        return tagset(self.labels, self.model.attrs["scheme"])

    @property
    def calibration(self) -> Calibration:
        """How confidence is made of the model's probabilities. See calibration.py."""
        stored = self.cfg.get("calibration")
        if self._calibration is None or stored is not self._calibration[0]:
            self._calibration = stored, Calibration.from_dict(stored or {})
        return self._calibration[1]

    @calibration.setter
    def calibration(self, value: Calibration) -> None:
        self.cfg["calibration"] = value.to_dict()

    def add_label(self, label: str) -> int:
        """Add a label before initialisation.

        label (str): The label.
        RETURNS (int): 1 if it was added, 0 if it was there.
        RAISES (ValueError): If the model is initialised: its size is fixed.
        """
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise ValueError(f"cannot add the label {label!r}: the component is initialised")
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
    ) -> None:
        """Collect the labels and make the model.

        get_examples (Callable[[], Iterable[Example]]): The training examples.
        nlp (Language | None): The pipeline.
        labels (list[str] | None): The labels, if they are known.
        RAISES (ValueError): If there are no labels, or tags are needed and no
            component before this one sets them.
        """
        if self.model.attrs["needs_tags"] and nlp is not None:
            before = nlp.component_names[: nlp.component_names.index(self.name)]
            if not any("token.tag" in nlp.get_pipe_meta(name).assigns for name in before):
                raise ValueError(f"pos_width needs a tagger before {self.name} in the pipeline")
        sample: list[Doc] = []
        found: set[str] = set()
        for example in get_examples():
            found.update(ent.label_ for ent in example.reference.ents)
            if len(sample) < 10:
                sample.append(example.predicted)
        for label in sorted(found) if labels is None else labels:
            self.add_label(label)
        if not self.labels:
            raise ValueError(f"{self.name}: there are no entities in the training examples")
        self.model.set_dim("nO", len(self.tagset.tags))
        self.model.initialize(X=sample)
        if power := self.model.attrs["class_weight"]:
            tags = self.tagset
            gold = [tags.encode(example.get_aligned_ner()) for example in get_examples()]
            self.cfg["class_weights"] = loss.weigh_tags(gold, len(tags.tags), power)

    def predict(self, docs: Iterable[Doc]) -> list[list[Mention]]:
        """Find the mentions of each document, without changing it.

        docs (Iterable[Doc]): The documents.
        RETURNS (list[list[Mention]]): Half-open token ranges,
            label and confidence from 0 to 1, in order.
        """
        return [found for part in _parts(docs) for found in self._predict(part)]

    def _predict(self, docs: list[Doc]) -> list[list[Mention]]:
        calibration = self.calibration
        found = self.decode(*self.score_tags(docs), temperature=calibration.temperature)
        return [
            [
                (
                    start,
                    end,
                    label,
                    calibration.confidence(p, doc[start:end].text, label, end - start),
                )
                for start, end, label, p in mentions
            ]
            for doc, mentions in zip(docs, found, strict=True)
        ]

    def score_tags(self, docs: list[Doc]) -> tuple[list[Tensor], Tensor]:
        """Score the tags of each token, without constraints or temperature.

        docs (list[Doc]): The documents.
        RETURNS (tuple[list[Tensor], Tensor]): Scores of each document (tokens, K)
            and transitions (K + 1, K + 1), float64 on the CPU.
        """
        if not any(len(doc) for doc in docs):
            tags = len(self.tagset.tags)
            return [torch.zeros(0, tags) for _ in docs], torch.zeros(tags + 1, tags + 1)
        scores, transitions = self._to_torch(self.model.predict(docs))
        return list(scores.split([len(doc) for doc in docs])), transitions

    def decode(
        self, scores: list[Tensor], transitions: Tensor, *, temperature: float
    ) -> list[list[Mention]]:
        """Find the mentions of each document, and how probable each is.

        scores (list[Tensor]): What `score_tags` gave, as are the transitions.
        temperature (float): What scores are divided by.
        RETURNS (list[list[Mention]]): As `predict` does, with probabilities that
            are not calibrated further.
        """
        constrained = self.tagset.constrain(transitions)
        return crf.decode(scores, constrained, self.tagset, temperature)

    def doubt(self, examples: Iterable[Example]) -> list[list[float]]:
        """How much the model doubts the gold tag of each token.

        examples (Iterable[Example]): Examples whose predicted documents this
            pipeline has annotated.
        RETURNS (list[list[float]]): The negative logarithm of the tag's probability
            at the calibrated temperature, over all legal sequences; in nats.
        RAISES (ValueError): If a gold label is none of the component's.
        """
        doubts: list[list[float]] = []
        for batch in minibatch(examples, SCORED_TOGETHER):
            scores, transitions = self.score_tags([example.predicted for example in batch])
            log = crf.log_probabilities(
                scores,
                self.tagset.constrain(transitions),
                [self.tagset.encode(example.get_aligned_ner()) for example in batch],
                self.calibration.temperature,
            )
            doubts += [[-value for value in values] for values in log]
        return doubts

    def _to_torch(self, output: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
        scores, transitions = output
        return crf.finite(xp2torch(scores)), crf.finite(xp2torch(transitions))

    def set_annotations(self, docs: Iterable[Doc], scores: list[list[Mention]]) -> None:
        """Set `doc.ents`, `ent._.confidence` and the span group with its scores.

        Entities that are there already stay, as with spaCy's own `ner`, and what
        overlaps them is dropped. They have no confidence.
        """
        for doc, mentions in zip(docs, scores, strict=True):
            given = list(doc.ents)
            found = {}
            for start, end, label, confidence in mentions:
                span = _trimmed(doc, start, end, label)
                if span is not None and confidence >= self.min_confidence:
                    found[span] = confidence
            ents = filter_spans(given + [s for s in found if not _overlaps(s, given)])
            doc.set_ents(ents, default="outside")
            kept = [ent for ent in doc.ents if ent in found and ent not in given]
            for ent in kept:
                ent._.confidence = found[ent]
            group = SpanGroup(doc, name=self.spans_key, spans=kept)
            group.attrs["scores"] = np.array([found[ent] for ent in kept], dtype="f")
            doc.spans[self.spans_key] = group

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples. See `TrainablePipe.update`.

        RAISES (ValueError): If a gold label is none of the component's.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "TokenClassifierNER.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        set_dropout_rate(self.model, drop)
        output, backprop = self.model.begin_update([example.predicted for example in examples])
        mean_loss, gradient = self.get_loss(examples, output)
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += mean_loss
        return losses

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score as the scorer does, and add the mean loss of a token as `ents_loss`.

        examples (Iterable[Example]): Examples whose predicted documents this
            pipeline has annotated. There is no loss where one lacks the encoder's
            output, or has a label that was never trained, since it is infinite.
        RETURNS (dict[str, Any]): The scores, and the loss in nats, without class
            weights: with softmax the cross entropy of a token, with a CRF a token's
            share in the negative log likelihood of its document.
        """
        examples = list(examples)
        scores: dict[str, Any] = super().score(examples, **kwargs)
        full = [example for example in examples if len(example.predicted)]
        labels = {ent.label_ for example in full for ent in example.reference.ents}
        is_finite = labels.issubset(self.labels)
        if full and is_finite and all(_is_encoded(example.predicted) for example in full):
            total = 0.0
            for batch in minibatch(full, SCORED_TOGETHER):
                output = self.model.predict([example.predicted for example in batch])
                mean_loss, _ = self._loss(batch, output, class_weights=None)
                total += mean_loss * sum(len(example) for example in batch)
            scores["ents_loss"] = total / sum(len(example) for example in full)
        return scores

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, at the model's own multiple of the learning rate."""
        self.model.finish_update(partial(sgd, lr_scale=self.model.attrs["rate"]))

    def get_loss(
        self, examples: Iterable[Example], scores: tuple[Any, Any]
    ) -> tuple[float, tuple[Any, Any]]:
        """The mean loss of a token and its gradient.

        examples (Iterable[Example]): The examples.
        scores (tuple[Floats2d, Floats2d]): What the model has put out for them.
        RETURNS (tuple[float, tuple[Floats2d, Floats2d]]): The loss, and the
            gradient with respect to the scores and the transitions.
        """
        return self._loss(examples, scores, class_weights=self.cfg.get("class_weights"))

    def _loss(
        self,
        examples: Iterable[Example],
        scores: tuple[Any, Any],
        *,
        class_weights: list[float] | None,
    ) -> tuple[float, tuple[Any, Any]]:
        tags = self.tagset
        gold = [
            torch.tensor(tags.encode(_gold_tags(example)))
            for example in examples
            if len(example.predicted)
        ]
        flat, transitions = self._to_torch(scores)
        d_transitions = torch.zeros_like(transitions)
        if self.model.attrs["decoder"] == "crf":
            constrained = tags.constrain(transitions)
            mean_loss, d_scores, d_transitions = loss.crf_loss(flat, constrained, gold)
        else:
            mean_loss, d_scores = loss.softmax_loss(flat, gold, class_weights)
        xp_scores, xp_transitions = scores
        return mean_loss, (
            self.model.ops.asarray(torch2xp(d_scores), dtype=xp_scores.dtype),
            self.model.ops.asarray(torch2xp(d_transitions), dtype=xp_transitions.dtype),
        )


def _parts(docs: Iterable[Doc]) -> Iterator[list[Doc]]:
    """Documents of together `PREDICTED_TOGETHER` tokens, or a single longer one, in order."""
    part: list[Doc] = []
    tokens = 0
    for doc in docs:
        tokens += len(doc)
        if part and tokens > PREDICTED_TOGETHER:
            yield part
            part, tokens = [], len(doc)
        part.append(doc)
    if part:
        yield part


def _gold_tags(example: Example) -> list[str | None]:
    """The gold tags of the predicted tokens, without alignment where the tokens are the same."""
    gold = example.reference
    both = (doc.to_array([ORTH]) for doc in (example.predicted, gold))
    if not np.array_equal(*both) or any(token.ent_iob == 0 for token in gold):
        return list(example.get_aligned_ner())
    return list(iob_to_biluo([f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in gold]))


def _is_encoded(doc: Doc) -> bool:
    """Whether a transformer has left its output."""
    return doc.has_extension("trf_data") and doc._.trf_data is not None


def _trimmed(doc: Doc, start: int, end: int, label: str) -> Span | None:
    """A mention without white space at its ends, or None if it has nothing else."""
    while start < end and doc[start].is_space:
        start += 1
    while start < end and doc[end - 1].is_space:
        end -= 1
    return Span(doc, start, end, label=label) if start < end else None


def _overlaps(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def make_token_classifier_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], tuple[Any, Any]],
    min_confidence: float,
    spans_key: str,
    scorer: Callable[..., Any] | None,
) -> TokenClassifierNER:
    """Make a component that finds entities by classifying tokens.

    It stands in for spaCy's `ner`. Each entity has a probability that its span
    and label are right: `ent._.confidence`, and the same in
    `doc.spans[spans_key].attrs["scores"]`.

    model (Model[list[Doc], tuple[Floats2d, Floats2d]]): See `make_token_classifier`.
    min_confidence (float): Entities below it are dropped, from 0 to 1.
    spans_key (str): Where in `doc.spans` the entities are put with their scores.
    scorer (Callable | None): The scoring method.
    """
    return TokenClassifierNER(
        nlp.vocab,
        model,
        name,
        min_confidence=min_confidence,
        spans_key=spans_key,
        scorer=scorer,
    )
