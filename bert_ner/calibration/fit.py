"""Choose on dev how a pipeline's confidence is made of its probabilities."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..pipes.confidence import CHANGE_NOTHING, FEATURES, Calibration
from ..progress import track
from .outcomes import Outcomes, expected_calibration_error

TEMPERATURES = np.geomspace(0.8, 4.0, 15)  # each 12 % above the one before; the slope does the rest
FOLDS = 5  # of dev's documents, to say what calibration does to those it was not chosen on
LEAST_MENTIONS = 100  # with fewer on dev it would follow chance


@dataclass(frozen=True)
class Prediction:
    """A predicted mention of dev, and how probable it is at each temperature."""

    document: int
    text: str
    label: str
    words: int
    correct: bool
    plain: float  # at a temperature of 1
    probabilities: tuple[float, ...]  # at each of `TEMPERATURES`


def collect(nlp: Language, name: str, examples: list[Example]) -> list[Prediction]:
    """Predict the mentions of dev.

    nlp (Language): The pipeline.
    name (str): Its component that classifies tokens.
    examples (list[Example]): The dev split, with gold tokens.
    RETURNS (list[Prediction]): Every predicted mention.
    """
    classifier = nlp.get_pipe(name)
    following = nlp.pipe_names[nlp.pipe_names.index(name) :]
    found: list[Prediction] = []
    document = 0
    batches = list(minibatch(examples, nlp.batch_size))
    for batch in track(batches, "calibrating", total=len(batches)):
        with nlp.select_pipes(disable=following):
            docs = list(nlp.pipe(example.predicted for example in batch))
        scored = classifier.score_tags(docs)
        by_temperature = [
            classifier.decode(*scored, temperature=temperature)
            for temperature in (1.0, *TEMPERATURES.tolist())
        ]
        for example, *found_at in zip(batch, *by_temperature, strict=True):
            gold = {(ent.start, ent.end, ent.label_) for ent in example.reference.ents}
            for (start, end, label, plain), *others in zip(*found_at, strict=True):
                found.append(
                    Prediction(
                        document,
                        example.predicted[start:end].text,
                        label,
                        end - start,
                        (start, end, label) in gold,
                        plain,
                        tuple(mention[3] for mention in others),
                    )
                )
            document += 1
    return found


def log_loss(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """The mean negative log of the probability given to what came true, in nats."""
    p = np.clip(confidence, 1e-9, 1 - 1e-9)
    return float(-np.where(correct, np.log(p), np.log1p(-p)).mean())


def _correct(predictions: list[Prediction]) -> NDArray[np.bool_]:
    return np.array([prediction.correct for prediction in predictions], dtype=bool)


def choose_temperature(predictions: list[Prediction]) -> int:
    """The temperature with the least log loss, an index into `TEMPERATURES`."""
    table = np.array([prediction.probabilities for prediction in predictions])
    correct = _correct(predictions)
    return int(np.argmin([log_loss(column, correct) for column in table.T]))


def fit(predictions: list[Prediction], seen: Calibration) -> Calibration:
    """Choose temperature and weights.

    The weights have the least log loss plus half their squared distance from
    those that change nothing, so that few mentions move them little.

    predictions (list[Prediction]): The mentions, at least one.
    seen (Calibration): Knows the training mentions; its numbers are not used.
    RETURNS (Calibration): How confidence is to be made.
    """
    index = choose_temperature(predictions)
    rows = [seen.features(p.probabilities[index], p.text, p.label, p.words) for p in predictions]
    features = torch.tensor(rows, dtype=torch.double)
    correct = torch.tensor(_correct(predictions), dtype=torch.double)
    identity = torch.tensor(CHANGE_NOTHING, dtype=torch.double)
    weights = identity.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = features @ weights
        fits = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, correct, reduction="sum"
        )
        total = fits + 0.5 * ((weights - identity) ** 2).sum()
        total.backward()
        return total

    optimizer.step(loss)
    numbers = dict(zip(FEATURES, weights.detach().tolist(), strict=True))
    return replace(seen, temperature=float(TEMPERATURES[index]), **numbers)


def apply(calibration: Calibration, predictions: list[Prediction]) -> NDArray[np.float64]:
    """The confidence of each mention.

    calibration (Calibration): One that `fit` gave.
    predictions (list[Prediction]): The mentions.
    RETURNS (NDArray[np.float64]): From 0 to 1.
    """
    index = int(np.argmin(np.abs(TEMPERATURES - calibration.temperature)))
    return np.array(
        [
            calibration.confidence(p.probabilities[index], p.text, p.label, p.words)
            for p in predictions
        ]
    )


def out_of_fold(predictions: list[Prediction], seen: Calibration) -> NDArray[np.float64]:
    """The confidence of each mention as calibrated on the documents of the other folds."""
    confidence = np.zeros(len(predictions))
    folds = np.array([prediction.document % FOLDS for prediction in predictions])
    for fold in range(FOLDS):
        others = [p for p, f in zip(predictions, folds, strict=True) if f != fold]
        own = [p for p, f in zip(predictions, folds, strict=True) if f == fold]
        if others and own:
            confidence[folds == fold] = apply(fit(others, seen), own)
    return confidence


def describe(predictions: list[Prediction], calibration: Calibration, gold: int) -> dict[str, Any]:
    """What calibration did to dev.

    predictions (list[Prediction]): Dev's mentions.
    calibration (Calibration): What was chosen.
    gold (int): How many gold mentions dev has.
    RETURNS (dict[str, Any]): The weights, how many mentions, and log loss and
        expected calibration error as the model gives them, with the temperature
        alone, and calibrated: on dev itself, and out of fold.
    """
    correct = _correct(predictions)
    index = choose_temperature(predictions)
    stages = {
        "before": np.array([p.plain for p in predictions]),
        "temperature": np.array([p.probabilities[index] for p in predictions]),
        "after": apply(calibration, predictions),
        "out_of_fold": out_of_fold(predictions, calibration),
    }
    numbers = {k: v for k, v in calibration.to_dict().items() if k not in ("seen", "labels")}
    return {
        **numbers,
        "mentions": len(predictions),
        "log_loss": {name: log_loss(p, correct) for name, p in stages.items()},
        "ece": {
            name: expected_calibration_error(Outcomes(p, correct, gold))
            for name, p in stages.items()
        },
    }
