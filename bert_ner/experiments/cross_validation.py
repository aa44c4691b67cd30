"""Train, for each part of the train split, a pipeline that has not seen it."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.tokens import DocBin

from ..corpora.docs import STORED
from ..corpora.registry import Name, get_corpus
from ..corpora.spec import Corpus
from ..devices import choose_gpu
from ..errors import InputError
from ..files import read_json, sha256, write_json
from ..loading import load_examples
from ..training.encoders import Encoder, resolve
from ..training.trainer import EncoderOption, EpochsOption, SeedOption, parse_epochs, train_recipe
from .folds import fold_folder

LEAST = 2  # folds


def train_folds(
    *,
    config: Path,
    corpus: Corpus,
    data: Path,
    output: Path,
    encoder: Encoder,
    epochs: int | None,
    seed: int,
    folds: int,
    gpu: int = -1,
) -> None:
    """Train a pipeline for each fold on all others. Those that are there already stay.

    Fold k of n has each n-th document of train, from k on.

    config (Path): The recipe.
    corpus (Corpus): The corpus.
    data (Path): The folder of the converted corpus.
    output (Path): The folder to write, with a folder for each fold.
    encoder (Encoder): The encoder to fine-tune.
    epochs (int | None): See `bert_ner.training.trainer.train_recipe`.
    seed (int): The seed of every random choice.
    folds (int): How many there are.
    gpu (int): The GPU's number, -1 for the CPU.
    RAISES (InputError): If the corpus is not converted or too small.
    """
    nlp = spacy.blank("en")
    train = data / "train.spacy"
    docs = [example.reference for example in load_examples(nlp, train)]
    if len(docs) < folds:
        raise InputError(f"{train}: has {len(docs)} documents, too few for {folds} folds.")
    settings = {
        "recipe": sha256(config),
        "train": sha256(train),
        "encoder": encoder.name,
        "epochs": epochs,
        "seed": seed,
    }
    for k in range(folds):
        folder = fold_folder(output, k, folds)
        if _settings_of(folder) == settings:
            print(f"fold {k + 1} of {folds} is there already")
            continue
        print(f"fold {k + 1} of {folds}")
        with tempfile.TemporaryDirectory() as name:
            others = Path(name)
            rest = [doc for i, doc in enumerate(docs) if i % folds != k]
            DocBin(attrs=STORED, docs=rest).to_disk(others / "train.spacy")
            for file in ("dev.spacy", "source.json"):
                (others / file).symlink_to((data / file).resolve())
            train_recipe(
                config=config,
                corpus=corpus,
                data=others,
                output=folder,
                encoder=encoder,
                epochs=epochs,
                seed=seed,
                gpu=gpu,
            )
        write_json(folder / "fold.json", settings)


def _settings_of(folder: Path) -> Any:
    path = folder / "fold.json"
    return read_json(path) if path.exists() else None


def main(
    corpus: Annotated[Name, typer.Argument(help="The corpus.")],
    config: Annotated[Path, typer.Option(help="The recipe.")] = Path("configs/config.cfg"),
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[
        Path | None, typer.Option(help="Folder to write, by default training/RECIPE/CORPUS-folds.")
    ] = None,
    encoder: EncoderOption = "auto",
    epochs: EpochsOption = "auto",
    seed: SeedOption = 1,
    folds: Annotated[int, typer.Option(min=LEAST, help="How many pipelines to train.")] = 3,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Train, for each part of the train split, a pipeline that has not seen it."""
    gpu = choose_gpu(gpu_id)
    chosen = resolve(encoder, gpu=gpu >= 0)
    print(chosen.line())
    train_folds(
        config=config,
        corpus=get_corpus(corpus),
        data=data / corpus,
        output=output or Path("training") / config.stem / f"{corpus}-folds",
        encoder=chosen,
        epochs=parse_epochs(epochs),
        seed=seed,
        folds=folds,
        gpu=gpu,
    )
