"""Train one pipeline per fold of the train split, on the other folds."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli


def main(
    corpus: cli.CorpusArgument,
    config: Annotated[Path, typer.Option(help="The recipe.")] = Path("configs/config.cfg"),
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    output: Annotated[
        Path | None, typer.Option(help="Output folder, by default training/RECIPE/CORPUS-folds.")
    ] = None,
    encoder: cli.EncoderOption = "auto",
    epochs: cli.EpochsOption = "auto",
    seed: cli.SeedOption = 1,
    folds: Annotated[int, typer.Option(min=2, help="Number of pipelines to train.")] = 3,
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Train one pipeline per fold of the train split, on the other folds."""
    from bert_ner.corpora.registry import get_corpus
    from bert_ner.devices import choose_gpu
    from bert_ner.experiments.cross_validation import FoldTraining, train_folds
    from bert_ner.training.encoders import resolve
    from bert_ner.training.schedule import parse_epochs

    gpu = choose_gpu(gpu_id)
    resolved = resolve(encoder, gpu=gpu >= 0, notify=print)
    print(resolved.line(), flush=True)
    training = FoldTraining(
        config=config,
        corpus=get_corpus(corpus),
        data=data / corpus,
        encoder=resolved,
        epochs=parse_epochs(epochs),
        seed=seed,
        gpu=gpu,
    )
    output = output or Path("training") / config.stem / f"{corpus}-folds"
    for fold in train_folds(training, output, folds):
        print(fold, flush=True)


if __name__ == "__main__":
    cli.run(main)
