"""Schedule of a training: a whole number of epochs, with the learning rate falling to zero."""

import math
from dataclasses import dataclass

import spacy
from spacy import util
from spacy.util import registry
from thinc.api import Config

from ..errors import InputError, first_line
from .recipe import CONFIG_ERRORS
from .records import Overrides

DEFAULT_EPOCHS = 5  # more for a corpus with fewer than MIN_STEPS steps in 5 epochs
MIN_STEPS = 300
MAX_EVALUATIONS = 20  # of a run; with few epochs, one evaluation after each
WARMUP_SHARE = 0.1  # of the steps
PATIENCE_EPOCHS = 2  # without a better score on dev; at least a third of the run


@dataclass(frozen=True)
class Schedule:
    """Length of a training.

    epochs (int): Passes over the train split.
    steps_per_epoch (int): Batches in each.
    """

    epochs: int
    steps_per_epoch: int

    @property
    def overrides(self) -> Overrides:
        """Changes to a recipe that give its training this length."""
        steps = self.steps_per_epoch * self.epochs
        epochs_per_evaluation = math.ceil(self.epochs / MAX_EVALUATIONS)
        return {
            "training.max_steps": steps,
            "training.max_epochs": 0,
            "training.eval_frequency": self.steps_per_epoch * epochs_per_evaluation,
            "training.patience": max(PATIENCE_EPOCHS * self.steps_per_epoch, steps // 3),
            "training.optimizer.learn_rate.total_steps": steps,
            "training.optimizer.learn_rate.warmup_steps": int(WARMUP_SHARE * steps),
        }


def plan_steps(recipe: Config, epochs: int | None) -> Schedule:
    """Plan the length of a training.

    recipe (Config): The interpolated recipe, with the paths of the corpus.
    epochs (int | None): Passes over the train split. If it is None, the recipe's
        `max_epochs`; if that is 0, five, or as many as 300 steps need.
    RETURNS (Schedule): The schedule.
    RAISES (InputError): If the train split cannot be read or is empty.
    """
    train = recipe["paths"]["train"]
    try:
        batches = count_batches(recipe)
    except CONFIG_ERRORS as e:
        raise InputError(f"{train}: the recipe cannot read it: {first_line(e)}") from e
    if not batches:
        raise InputError(f"{train}: contains no documents. Convert the corpus again.")
    if epochs is None:
        default = max(DEFAULT_EPOCHS, math.ceil(MIN_STEPS / batches))
        epochs = int(recipe["training"]["max_epochs"]) or default
    return Schedule(epochs, batches)


def count_batches(recipe: Config) -> int:
    """Count the steps of an epoch, by reading the train split once.

    The split is read in its stored order. spaCy shuffles it in every epoch, which may
    change the number by a few percent.

    recipe (Config): The interpolated recipe, with the paths of the corpus.
    RETURNS (int): The number of batches.
    """
    util.fix_random_seed(recipe["training"]["seed"])
    nlp = spacy.blank(recipe["nlp"]["lang"])
    corpora = registry.resolve(recipe["corpora"])
    reader = corpora[recipe["training"]["train_corpus"].split(".")[-1]]
    batcher = registry.resolve({"batcher": recipe["training"]["batcher"]})["batcher"]
    return sum(1 for _ in batcher(reader(nlp)))


def parse_epochs(value: str) -> int | None:
    """Parse the option --epochs.

    value (str): "auto" or a number.
    RETURNS (int | None): The number; None for "auto".
    RAISES (InputError): If it is neither.
    """
    if value == "auto":
        return None
    if not value.isdecimal() or int(value) < 1:
        raise InputError(f'--epochs {value}: expected "auto" or a whole number, 1 or more.')
    return int(value)
