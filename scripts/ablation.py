"""Measure the gain of each switch of a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli

BudgetOption = Annotated[str, typer.Option(help="Name of a budget in the plan.")]
OnlyOption = Annotated[
    list[str] | None, typer.Option(help="Switch to measure; may be repeated. All by default.")
]
MinutesOption = Annotated[float | None, typer.Option(help="Start no run after this time.")]
JobsOption = Annotated[int, typer.Option(min=1, help="Runs at the same time, on a CPU.")]
PlanOption = Annotated[Path, typer.Option(help="The plan. Recipes are in the same folder.")]
DataOption = Annotated[Path, typer.Option(help="Folder of converted corpora.")]
ResultsOption = Annotated[Path, typer.Option(help="Folder of results.")]
PageOption = Annotated[Path, typer.Option(help="Output page, in Markdown.")]


def main(
    corpus: cli.CorpusArgument,
    budget: BudgetOption = "small",
    only: OnlyOption = None,
    minutes: MinutesOption = None,
    jobs: JobsOption = 1,
    plan: PlanOption = Path("configs/ablation.toml"),
    data: DataOption = Path("corpus"),
    results: ResultsOption = Path("docs/results/ablation"),
    page: PageOption = Path("docs/ablation.md"),
    encoder: cli.EncoderOption = "auto",
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Measure the gain of each switch, and write a page. An interrupted run resumes."""
    from bert_ner.corpora.registry import get_corpus
    from bert_ner.devices import choose_gpu
    from bert_ner.experiments.ablation import Setup, measure
    from bert_ner.experiments.ablation_page import write_page
    from bert_ner.experiments.ablation_plan import read_plan
    from bert_ner.training.encoders import resolve

    name, gpu = get_corpus(corpus).name, choose_gpu(gpu_id)
    switches = read_plan(plan)
    setup = Setup(
        data=data / name,
        configs=plan.parent,
        results=results / name / budget,
        encoder=encoder,
        gpu=gpu,
        jobs=jobs,
    )
    print(resolve(encoder, gpu=gpu >= 0, notify=print).line(), flush=True)
    for progress in measure(switches, setup, budget=budget, only=only or [], minutes=minutes):
        print(progress, flush=True)
    if progress.done < progress.total:
        print(f"stopped after {minutes:g} minutes; the same command resumes")
    write_page(switches, results, page)
    print(page)


if __name__ == "__main__":
    cli.run(main)
