"""Fits a pipeline's calibration on dev."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..loading import EntityPipe
from ..pipes.confidence import CHANGE_NOTHING, Calibration
from ..pipes.crf import Mention
from ..progress import track
from .outcomes import Outcomes, expected_calibration_error
from .records import CalibrationRecord, Stages

TEMPERATURES = np.geomspace(0.8, 4.0, 15)  # in steps of 12 %; the slope makes up the difference
FOLDS = 5  # of dev's documents, to measure the calibration on documents that it was not fitted on
MIN_MENTIONS = 100  # on dev; with fewer, a calibration would follow chance


@dataclass(frozen=True)
class Prediction:
    """A predicted mention of dev.

    document (int): Number of its document, from 0.
    text (str): Its text.
    label (str): Its label.
    words (int): Number of its tokens.
    correct (bool): Whether span and label are correct.
    plain (float): Its probability at a temperature of 1.
    probabilities (tuple[float, ...]): Its probability at each of `TEMPERATURES`.
    """

    document: int
    text: str
    label: str
    words: int
    correct: bool
    plain: float
    probabilities: tuple[float, ...]


def predict_mentions(nlp: Language, pipe: EntityPipe, examples: list[Example]) -> list[Prediction]:
    """Predict the mentions of dev.

    nlp (Language): The pipeline.
    pipe (EntityPipe): Its component that gives entities a confidence.
    examples (list[Example]): The dev split, with gold tokens.
    RETURNS (list[Prediction]): Every predicted mention.
    """
    names = [name for name, _ in nlp.pipeline]
    position = next(i for i, (_, each) in enumerate(nlp.pipeline) if each is pipe)
    predictions: list[Prediction] = []
    document = 0
    batches = list(minibatch(examples, nlp.batch_size))
    for batch in track(batches, "calibrating", total=len(batches)):
        with nlp.select_pipes(disable=names[position:]):
            docs = list(nlp.pipe(example.predicted for example in batch))
        scores, transitions = pipe.score_tags(docs)
        decoded = [
            pipe.decode(scores, transitions, temperature=temperature)
            for temperature in (1.0, *TEMPERATURES.tolist())
        ]
        for example, *mentions in zip(batch, *decoded, strict=True):
            predictions += _compare(document, example, mentions)
            document += 1
    return predictions


def _compare(document: int, example: Example, decoded: list[list[Mention]]) -> Iterator[Prediction]:
    """Compare the mentions of a document, at each temperature, with its gold mentions."""
    gold = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
    for plain, *others in zip(*decoded, strict=True):
        start, end, label, probability = plain
        yield Prediction(
            document=document,
            text=example.predicted[start:end].text,
            label=label,
            words=end - start,
            correct=(start, end, label) in gold,
            plain=probability,
            probabilities=tuple(mention[3] for mention in others),
        )


def log_loss(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Compute the mean negative log likelihood of the outcomes.

    confidence (NDArray[np.float64]): Of each mention, from 0 to 1.
    correct (NDArray[np.bool_]): Whether each mention is correct.
    RETURNS (float): The loss, in nats.
    """
    p = np.clip(confidence, 1e-9, 1 - 1e-9)
    return float(-np.where(correct, np.log(p), np.log1p(-p)).mean())


def _correct(predictions: list[Prediction]) -> NDArray[np.bool_]:
    return np.array([prediction.correct for prediction in predictions], dtype=bool)


def choose_temperature(predictions: list[Prediction]) -> int:
    """Return the index into `TEMPERATURES` with the lowest log loss.

    predictions (list[Prediction]): The mentions, at least one.
    """
    table = np.array([prediction.probabilities for prediction in predictions])
    correct = _correct(predictions)
    return int(np.argmin([log_loss(column, correct) for column in table.T]))


def fit(predictions: list[Prediction], seen: Calibration) -> Calibration:
    """Fit temperature and weights.

    The weights minimize the log loss plus half their squared distance from the weights
    that change nothing, so a few mentions move them only a little.

    predictions (list[Prediction]): The mentions, at least one.
    seen (Calibration): A calibration that knows the training mentions. Its numbers are
        ignored.
    RETURNS (Calibration): The fitted calibration.
    """
    index = choose_temperature(predictions)
    rows = [seen.features(p.probabilities[index], p.text, p.label, p.words) for p in predictions]
    features = torch.tensor(rows, dtype=torch.double)
    correct = torch.tensor(_correct(predictions), dtype=torch.double)
    slope, bias, unseen, ambiguous, length = _fit_weights(features, correct)
    return replace(
        seen,
        temperature=float(TEMPERATURES[index]),
        slope=slope,
        bias=bias,
        unseen=unseen,
        ambiguous=ambiguous,
        length=length,
    )


def _fit_weights(features: torch.Tensor, correct: torch.Tensor) -> list[float]:
    """Fit a logistic regression.

    features (Tensor): (mentions, features), in the order of `bert_ner.pipes.confidence.FEATURES`.
    correct (Tensor): (mentions,), 1 for a correct mention and 0 for a wrong one.
    RETURNS (list[float]): The weight of each feature.
    """
    identity = torch.tensor(CHANGE_NOTHING, dtype=torch.double)
    weights = identity.clone().requires_grad_()
    optimizer: torch.optim.Optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def compute_loss() -> float:
        optimizer.zero_grad()
        log_loss = torch.nn.functional.binary_cross_entropy_with_logits(
            features @ weights, correct, reduction="sum"
        )
        loss = log_loss + 0.5 * ((weights - identity) ** 2).sum()
        torch.autograd.backward(loss)
        return loss.item()

    optimizer.step(compute_loss)
    fitted: list[float] = weights.detach().tolist()
    return fitted


def apply(calibration: Calibration, predictions: list[Prediction]) -> NDArray[np.float64]:
    """Compute the confidence of each mention.

    calibration (Calibration): A calibration that `fit` returned.
    predictions (list[Prediction]): The mentions.
    RETURNS (NDArray[np.float64]): The confidences, from 0 to 1.
    """
    index = int(np.argmin(np.abs(TEMPERATURES - calibration.temperature)))
    return np.array(
        [
            calibration.confidence(p.probabilities[index], p.text, p.label, p.words)
            for p in predictions
        ]
    )


def out_of_fold(predictions: list[Prediction], seen: Calibration) -> NDArray[np.float64]:
    """Compute the confidence of each mention, calibrated on the documents of other folds.

    predictions (list[Prediction]): The mentions.
    seen (Calibration): A calibration that knows the training mentions.
    RETURNS (NDArray[np.float64]): The confidences, from 0 to 1.
    """
    confidence = np.zeros(len(predictions))
    folds = np.array([prediction.document % FOLDS for prediction in predictions])
    for fold in range(FOLDS):
        others = [p for p, f in zip(predictions, folds, strict=True) if f != fold]
        own = [p for p, f in zip(predictions, folds, strict=True) if f == fold]
        if others and own:
            confidence[folds == fold] = apply(fit(others, seen), own)
    return confidence


def describe(
    predictions: list[Prediction], calibration: Calibration, gold: int
) -> CalibrationRecord:
    """Describe a calibration and its effect on dev.

    predictions (list[Prediction]): Dev's mentions.
    calibration (Calibration): The fitted calibration.
    gold (int): Number of dev's gold mentions.
    RETURNS (CalibrationRecord): The weights, the number of mentions, and log loss and
        expected calibration error at each stage.
    """
    correct = _correct(predictions)
    index = choose_temperature(predictions)
    before = np.array([p.plain for p in predictions])
    tempered = np.array([p.probabilities[index] for p in predictions])
    after = apply(calibration, predictions)
    others = out_of_fold(predictions, calibration)

    def measure(compute: Callable[[NDArray[np.float64]], float]) -> Stages:
        return Stages(
            before=compute(before),
            temperature=compute(tempered),
            after=compute(after),
            out_of_fold=compute(others),
        )

    return CalibrationRecord(
        temperature=round(calibration.temperature, 6),
        slope=round(calibration.slope, 6),
        bias=round(calibration.bias, 6),
        unseen=round(calibration.unseen, 6),
        ambiguous=round(calibration.ambiguous, 6),
        length=round(calibration.length, 6),
        mentions=len(predictions),
        log_loss=measure(lambda p: log_loss(p, correct)),
        ece=measure(lambda p: expected_calibration_error(Outcomes(p, correct, gold))),
    )
