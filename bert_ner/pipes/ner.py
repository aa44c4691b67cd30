"""Named entities by classification of tokens, with a probability for each entity.

spaCy's own `ner` is a transition-based parser whose scores are not probabilities of
entities. Here each token gets a score for every tag, the best legal sequence of tags is
decoded, and the probability of a mention is the sum over all legal sequences that
contain it.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Required, TypedDict

import torch
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from torch import Tensor

from . import crf, learning
from .annotations import annotate, install_extension
from .batching import batch_by_length
from .confidence import Calibration, StoredCalibration
from .crf import Mention
from .gold import gold_labels, gold_tags
from .head import TagScores, to_torch
from .loss import weigh_tags
from .scorer import Scores
from .tags import Tagset, tagset

PREDICTED_TOGETHER = 4096  # tokens, a limit for memory
SAMPLE = 10  # documents to initialize the model with


class Stored(TypedDict, total=False):
    """Serialized state of the component, apart from its model."""

    labels: Required[list[str]]
    class_weights: list[float]
    calibration: StoredCalibration


class TokenClassifierNER(TrainablePipe):  # type: ignore[misc]  # spaCy has no types here
    """Component that finds entities. See `make_token_classifier_ner`."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], TagScores],
        name: str = "ner",
        *,
        min_confidence: float = 0.0,
        spans_key: str = "ner",
        scorer: Callable[..., Scores] | None = None,
    ) -> None:
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence = {min_confidence}: expected a number from 0 to 1")
        self.vocab = vocab
        self.model = model
        self.name = name
        self.min_confidence = min_confidence
        self.spans_key = spans_key
        self.scorer = scorer
        self.cfg: Stored = {"labels": []}
        self._calibration: tuple[StoredCalibration | None, Calibration] | None = None
        install_extension()

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
        """The function from the model's probabilities to confidence. See confidence.py."""
        stored = self.cfg.get("calibration")
        if self._calibration is None or stored is not self._calibration[0]:
            self._calibration = stored, Calibration.from_dict(stored or {})
        return self._calibration[1]

    @calibration.setter
    def calibration(self, value: Calibration) -> None:
        self.cfg["calibration"] = value.to_dict()

    def add_label(self, label: str) -> int:
        """Add a label before initialization.

        label (str): The label.
        RETURNS (int): 1 if the label is new, 0 if not.
        RAISES (ValueError): If the model is initialized, which fixes its size.
        """
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise ValueError(f"cannot add the label {label!r}: the component is initialized")
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
        """Collect the labels and initialize the model.

        get_examples (Callable[[], Iterable[Example]]): The training examples.
        nlp (Language | None): The pipeline.
        labels (list[str] | None): The labels, if they are known.
        RAISES (ValueError): If there are no labels, or if the model needs part-of-speech
            tags and no earlier component sets them.
        """
        if self.model.attrs["needs_tags"] and nlp is not None:
            self._check_tagger(nlp)
        sample: list[Doc] = []
        seen: set[str] = set()
        for example in get_examples():  # a corpus may be larger than the memory
            seen |= gold_labels([example])
            if len(sample) < SAMPLE:
                sample.append(example.predicted)
        for label in sorted(seen) if labels is None else labels:
            self.add_label(label)
        if not self.labels:
            raise ValueError(f"{self.name}: there are no entities in the training examples")
        self.model.set_dim("nO", len(self.tagset.tags))
        self.model.initialize(X=sample)
        if power := self.model.attrs["class_weight"]:
            gold = [self.tagset.encode(gold_tags(example)) for example in get_examples()]
            self.cfg["class_weights"] = weigh_tags(gold, len(self.tagset.tags), power)

    def _check_tagger(self, nlp: Language) -> None:
        earlier = nlp.component_names[: nlp.component_names.index(self.name)]
        if not any("token.tag" in nlp.get_pipe_meta(name).assigns for name in earlier):
            raise ValueError(f"pos_width needs a tagger before {self.name} in the pipeline")

    def predict(self, docs: Iterable[Doc]) -> list[list[Mention]]:
        """Find the mentions of each document without changing it.

        docs (Iterable[Doc]): The documents.
        RETURNS (list[list[Mention]]): Half-open token ranges with label and confidence
            from 0 to 1, in order.
        """
        batches = batch_by_length(docs, PREDICTED_TOGETHER)
        return [mentions for batch in batches for mentions in self._predict(batch)]

    def _predict(self, docs: list[Doc]) -> list[list[Mention]]:
        scores, transitions = self.score_tags(docs)
        temperature = self.calibration.temperature
        decoded = self.decode(scores, transitions, temperature=temperature)
        return [
            [self._calibrate(doc, mention) for mention in mentions]
            for doc, mentions in zip(docs, decoded, strict=True)
        ]

    def _calibrate(self, doc: Doc, mention: Mention) -> Mention:
        start, end, label, p = mention
        text = doc[start:end].text
        return start, end, label, self.calibration.confidence(p, text, label, end - start)

    def score_tags(self, docs: list[Doc]) -> tuple[list[Tensor], Tensor]:
        """Score the tags of each token, without constraints or temperature.

        docs (list[Doc]): The documents.
        RETURNS (tuple[list[Tensor], Tensor]): Scores of each document, (tokens, K),
            and transitions, (K + 1, K + 1); float64 on the CPU.
        """
        if not any(len(doc) for doc in docs):
            tags = len(self.tagset.tags)
            return [torch.zeros(0, tags) for _ in docs], torch.zeros(tags + 1, tags + 1)
        scores, transitions = to_torch(self.model.predict(docs))
        return list(torch.split(scores, [len(doc) for doc in docs])), transitions

    def decode(
        self, scores: list[Tensor], transitions: Tensor, *, temperature: float
    ) -> list[list[Mention]]:
        """Find the mentions of each document and their probabilities.

        scores (list[Tensor]): Scores from `score_tags`.
        transitions (Tensor): Transitions from `score_tags`.
        temperature (float): Divisor of the scores.
        RETURNS (list[list[Mention]]): As from `predict`, with probabilities that are
            not calibrated further.
        """
        constrained = self.tagset.constrain(transitions)
        return crf.decode(scores, constrained, self.tagset, temperature)

    def token_losses(self, examples: Iterable[Example]) -> list[list[float]]:
        """The negative log probability of the gold tag of each token.

        examples (Iterable[Example]): Examples whose predicted documents this pipeline
            has annotated.
        RETURNS (list[list[float]]): In nats, at the calibrated temperature and over all
            legal sequences; 0 for a token without a gold tag.
        RAISES (ValueError): If the component does not have a gold label.
        """
        losses: list[list[float]] = []
        for batch in minibatch(examples, learning.SCORED_TOGETHER):
            scores, transitions = self.score_tags([example.predicted for example in batch])
            log_probabilities = crf.log_probabilities(
                scores,
                self.tagset.constrain(transitions),
                [self.tagset.encode(gold_tags(example)) for example in batch],
                self.calibration.temperature,
            )
            losses += [[-value for value in values] for values in log_probabilities]
        return losses

    def set_annotations(self, docs: Iterable[Doc], scores: list[list[Mention]]) -> None:
        """Set the entities of documents. See `annotate`."""
        for doc, mentions in zip(docs, scores, strict=True):
            annotate(doc, mentions, min_confidence=self.min_confidence, spans_key=self.spans_key)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples. See `TrainablePipe.update`.

        RAISES (ValueError): If the component does not have a gold label.
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

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights, at the model's own multiple of the learning rate."""
        self.model.finish_update(partial(sgd, lr_scale=self.model.attrs["rate"]))

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Scores:
        """Score with the scorer, and add the mean loss of a token as `ents_loss`.

        examples (Iterable[Example]): Examples whose predicted documents this pipeline
            has annotated. If one lacks the encoder's output or has a label that was
            never trained, whose loss is infinite, there is no `ents_loss`.
        RETURNS (Scores): The scores. The loss is in nats, without class weights:
            with softmax the cross entropy of a token, with a CRF the negative log
            likelihood of a document, divided by its tokens.
        """
        examples = list(examples)
        scores: Scores = super().score(examples, **kwargs)
        mean_loss = learning.mean_loss(self.model, self.tagset, examples)
        return scores if mean_loss is None else {**scores, "ents_loss": mean_loss}

    def get_loss(self, examples: Iterable[Example], scores: TagScores) -> tuple[float, TagScores]:
        """The mean loss of a token and its gradient.

        examples (Iterable[Example]): The examples.
        scores (tuple[Floats2d, Floats2d]): The model's output for them.
        RETURNS (tuple[float, tuple[Floats2d, Floats2d]]): The loss, and its gradient with
            respect to the scores and the transitions.
        """
        weights = self.cfg.get("class_weights")
        return learning.get_loss(self.model, self.tagset, examples, scores, weights)
