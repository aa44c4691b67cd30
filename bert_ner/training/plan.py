"""Plan of a training: the overrides of a recipe and what they follow from."""

from dataclasses import dataclass
from pathlib import Path

from thinc.api import Config

from ..corpora.sources import Source, load_source
from ..corpora.spec import Corpus
from ..files import require
from .encoders import Encoder
from .recipe import CASE_SEGMENTS, MIXED_PRECISION, Recipe, fit_encoder, fit_machine
from .records import Overrides
from .schedule import Schedule, plan_steps


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that determines a training.

    recipe (Recipe): The recipe.
    corpus (Corpus): The corpus.
    source (Source): Origin of the corpus's files.
    encoder (Encoder): The encoder to fine-tune.
    schedule (Schedule): Epochs and steps.
    overrides (Overrides): Changes to the recipe, by dotted key.
    seed (int): Seed of every random choice.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    recipe: Recipe
    corpus: Corpus
    source: Source
    encoder: Encoder
    schedule: Schedule
    overrides: Overrides
    seed: int
    gpu: int

    @property
    def half_precision(self) -> bool:
        """Whether the training uses half precision."""
        return bool(self.overrides.get(MIXED_PRECISION))

    @property
    def notices(self) -> list[str]:
        """Lines to show before the training."""
        epochs, steps = self.schedule.epochs, self.schedule.steps_per_epoch
        notices = [f"{epochs} epochs of {steps} steps, seed {self.seed}"]
        if CASE_SEGMENTS in self.overrides:
            name = self.encoder.name
            notices.append(f"{name} has no segment table: it trains without case segments")
        return notices

    def config(self) -> Config:
        """Return the complete config of the training, for `spacy train`."""
        return self.recipe.complete(self.overrides)


def plan_training(
    recipe: Recipe,
    corpus: Corpus,
    data: Path,
    encoder: Encoder,
    *,
    epochs: int | None = None,
    seed: int = 1,
    gpu: int = -1,
) -> TrainingPlan:
    """Plan a training. Reads the train split once and writes nothing.

    recipe (Recipe): The recipe.
    corpus (Corpus): The corpus.
    data (Path): Folder with its train.spacy, dev.spacy and source.json.
    encoder (Encoder): The encoder to fine-tune.
    epochs (int | None): Passes over the train split: see `plan_steps`.
    seed (int): Seed of every random choice.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (TrainingPlan): The plan.
    RAISES (InputError): If the corpus is not converted or the recipe cannot be used.
    """
    train, dev, origin = (data / name for name in ("train.spacy", "dev.spacy", "source.json"))
    require(train, dev, origin)
    source = load_source(origin)
    paths: Overrides = {"paths.train": str(train), "paths.dev": str(dev)}
    settings = recipe.interpolate(paths)
    schedule = plan_steps(settings, epochs)
    overrides = paths | {"system.seed": seed} | fit_encoder(settings, encoder)
    overrides |= schedule.overrides | fit_machine(settings, gpu)
    return TrainingPlan(
        recipe=recipe,
        corpus=corpus,
        source=source,
        encoder=encoder,
        schedule=schedule,
        overrides=overrides,
        seed=seed,
        gpu=gpu,
    )
