"""Train a recipe on a converted corpus, through `spacy train`."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bert_ner import cli
from bert_ner.errors import InputError

if TYPE_CHECKING:
    from bert_ner.training.recipe import Recipe

CONFIG = Path("configs/config.cfg")
ConfigOption = Annotated[
    Path | None, typer.Option(help=f"The recipe, by default {CONFIG}.", show_default=False)
]
PaperOption = Annotated[
    str | None,
    typer.Option(help="Recipe of a paper, with its encoder by default: see docs/papers.md."),
]
DataOption = Annotated[Path, typer.Option(help="Folder of converted corpora.")]
OutputOption = Annotated[
    Path | None, typer.Option(help="Output folder, by default training/RECIPE/CORPUS.")
]
PrintOption = Annotated[
    bool, typer.Option("--print-config", help="Print the complete config and train nothing.")
]


def main(
    corpus: cli.CorpusArgument,
    config: ConfigOption = None,
    paper: PaperOption = None,
    data: DataOption = Path("corpus"),
    output: OutputOption = None,
    encoder: cli.EncoderOption = "auto",
    epochs: cli.EpochsOption = "auto",
    seed: cli.SeedOption = 1,
    gpu_id: cli.GpuOption = "auto",
    print_config: PrintOption = False,
) -> None:
    """Train a recipe on a converted corpus."""
    from bert_ner.corpora.registry import get_corpus
    from bert_ner.devices import choose_gpu
    from bert_ner.training.encoders import resolve
    from bert_ner.training.plan import plan_training
    from bert_ner.training.schedule import parse_epochs
    from bert_ner.training.trainer import train_recipe

    recipe, passes = _read(config, paper), parse_epochs(epochs)
    described = get_corpus(corpus)
    with redirect_stdout(sys.stderr if print_config else sys.stdout):
        gpu = choose_gpu(gpu_id)
        name = recipe.encoder if paper and encoder == "auto" else encoder
        resolved = resolve(name, gpu=gpu >= 0, notify=print)
        print(resolved.line())
        plan = plan_training(
            recipe, described, data / corpus, resolved, epochs=passes, seed=seed, gpu=gpu
        )
        print(*plan.notices, sep="\n", flush=True)
    if print_config:
        print(f"# Recipe {recipe.name} on {corpus}. Train it: spacy train FILE --output FOLDER")
        print(plan.config().to_str(interpolate=False))
    else:
        train_recipe(plan, output or Path("training") / recipe.name / corpus)


def _read(config: Path | None, paper: str | None) -> "Recipe":
    from bert_ner.training.recipe import paper_recipe, read_recipe

    if config and paper:
        raise InputError("--config and --paper: use only one of them.")
    return paper_recipe(paper) if paper else read_recipe(config or CONFIG)


if __name__ == "__main__":
    cli.run(main)
