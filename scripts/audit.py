"""Find the annotations of a split that are most likely wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import table

from bert_ner import cli

if TYPE_CHECKING:
    from bert_ner.evaluation.records import Judgement


def main(
    corpus: cli.CorpusArgument,
    pipeline: Annotated[
        Path,
        typer.Argument(
            help="Pipeline that was not trained on the split. For train: folder of folds."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Output JSON lines, most suspect first.")],
    page: Annotated[Path, typer.Option(help="Output HTML page.")],
    data: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    corrected: Annotated[
        Path | None,
        typer.Option(
            help="Native file with a corrected annotation of the split, to judge the ranking. "
            "Default for test: the corpus's own corrected file, if it exists."
        ),
    ] = None,
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Rank the sentences of a split by how unlikely a pipeline finds their annotation."""
    from bert_ner.corpora.registry import get_corpus
    from bert_ner.devices import choose_gpu, use_device
    from bert_ner.experiments.audit import audit_corpus

    use_device(choose_gpu(gpu_id))
    judgement = audit_corpus(
        get_corpus(corpus),
        pipeline,
        data / corpus,
        split=split,
        output=output,
        page=page,
        corrected=corrected,
    )
    if judgement:
        print_judgement(judgement)
    print(page)


def print_judgement(judgement: "Judgement") -> None:
    """Print how many of the most suspect sentences a corrected annotation changed."""
    rows = [
        (row["sentences"], f"{100 * row['precision']:.1f}", f"{100 * row['recall']:.1f}")
        for row in judgement["ranking"]
    ]
    print(f"{judgement['changed_sentences']} sentences were changed")
    print(table(rows, header=("first", "P", "R"), divider=True, aligns=("r", "r", "r")))
    f1 = judgement["f1"]
    print(f"F1 {100 * f1['original']:.2f} original, {100 * f1['corrected']:.2f} corrected")


if __name__ == "__main__":
    cli.run(main)
