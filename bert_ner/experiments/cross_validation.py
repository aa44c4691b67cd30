"""Cross-validation: train one pipeline per fold of train, on the other folds."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import spacy
from spacy.tokens import Doc, DocBin

from ..corpora.docs import STORED
from ..corpora.spec import Corpus
from ..errors import InputError
from ..files import read_json, sha256, write_json
from ..loading import load_examples
from ..training.encoders import Encoder
from ..training.plan import plan_training
from ..training.recipe import read_recipe
from ..training.trainer import train_recipe
from .records import FoldSettings

FOLD = re.compile(r"[0-9]+-of-([0-9]+)")
SETTINGS = "fold.json"  # written last: a folder without it is incomplete


@dataclass(frozen=True, kw_only=True)
class FoldTraining:
    """Training that a cross-validation repeats for each fold.

    config (Path): The recipe.
    corpus (Corpus): The corpus.
    data (Path): Folder of the converted corpus.
    encoder (Encoder): The encoder to fine-tune.
    epochs (int | None): See `bert_ner.training.schedule.plan_steps`.
    seed (int): Seed of every random choice.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    config: Path
    corpus: Corpus
    data: Path
    encoder: Encoder
    epochs: int | None = None
    seed: int = 1
    gpu: int = -1

    def settings(self) -> FoldSettings:
        """Return the settings that all folds of a run share."""
        return {
            "recipe": sha256(self.config),
            "train": sha256(self.data / "train.spacy"),
            "encoder": self.encoder.name,
            "epochs": self.epochs,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Fold:
    """A fold of a cross-validation.

    number (int): Its number, from 0. Fold k of n has every n-th document of train,
        starting with document k.
    folds (int): Number of folds.
    folder (Path): Its folder.
    is_new (bool): Whether its pipeline has just been trained.
    """

    number: int
    folds: int
    folder: Path
    is_new: bool = False

    @property
    def pipeline(self) -> Path:
        """The folder of the trained pipeline."""
        return self.folder / "model-best"

    def __str__(self) -> str:
        verb = "trained" if self.is_new else "was trained before"
        return f"fold {self.number + 1} of {self.folds}: {verb}"


@dataclass(frozen=True)
class Folds:
    """All folds of a cross-validation, in order, and the settings that they share."""

    folds: Sequence[Fold]
    settings: FoldSettings


def fold_folder(output: Path, number: int, folds: int) -> Path:
    """Return the folder of a fold, which is counted from 0."""
    return output / f"{number + 1}-of-{folds}"


def find_folds(output: Path) -> Folds:
    """Find the pipelines of a cross-validation.

    output (Path): Folder with a folder per fold.
    RETURNS (Folds): The folds.
    RAISES (InputError): If a fold is missing, or if the folds are from different runs.
    """
    names = [path.name for path in sorted(output.glob("*")) if FOLD.fullmatch(path.name)]
    counts = {int(name.split("-of-")[1]) for name in names}
    if len(counts) != 1:
        raise InputError(
            f"{output}: expected the folds of one run, found {', '.join(names) or 'none'}. "
            f"Remove the folds of other runs, or train with python -m scripts.cross_validate."
        )
    (count,) = counts
    folds = [Fold(number, count, fold_folder(output, number, count)) for number in range(count)]
    settings = []
    for fold in folds:
        if (each := _read_settings(fold.folder)) is None:
            raise InputError(
                f"{fold.folder}: not complete. Run python -m scripts.cross_validate again."
            )
        settings.append(each)
    if any(each != settings[0] for each in settings):
        raise InputError(f"{output}: the folds were trained with different settings. Train again.")
    return Folds(folds, settings[0])


def train_folds(training: FoldTraining, output: Path, folds: int) -> Iterator[Fold]:
    """Train a pipeline for each fold on all other folds. Complete folds are kept.

    training (FoldTraining): The training that is repeated for each fold.
    output (Path): Output folder, with a folder per fold.
    folds (int): Number of folds, 2 or more.
    YIELDS (Fold): Each fold when its pipeline is ready.
    RAISES (InputError): If the corpus is not converted or too small.
    """
    train = training.data / "train.spacy"
    docs = [example.reference for example in load_examples(spacy.blank("en"), train)]
    if len(docs) < folds:
        raise InputError(f"{train}: {len(docs)} documents are too few for {folds} folds.")
    settings = training.settings()
    for number in range(folds):
        folder = fold_folder(output, number, folds)
        is_new = _read_settings(folder) != settings
        if is_new:
            others = [doc for i, doc in enumerate(docs) if i % folds != number]
            _train(training, others, folder)
            write_json(folder / SETTINGS, settings)
        yield Fold(number, folds, folder, is_new)


def _train(training: FoldTraining, docs: Sequence[Doc], output: Path) -> None:
    """Train on documents of the train split and evaluate on the whole dev split."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        DocBin(attrs=STORED, docs=docs).to_disk(data / "train.spacy")
        for file in ("dev.spacy", "source.json"):
            (data / file).symlink_to((training.data / file).resolve())
        plan = plan_training(
            read_recipe(training.config),
            corpus=training.corpus,
            data=data,
            encoder=training.encoder,
            epochs=training.epochs,
            seed=training.seed,
            gpu=training.gpu,
        )
        train_recipe(plan, output)


def _read_settings(folder: Path) -> FoldSettings | None:
    """Read the settings of a complete fold. Returns None if it is not complete."""
    path = folder / SETTINGS
    content = read_json(path) if path.exists() else None
    return cast(FoldSettings, content) if isinstance(content, dict) else None
