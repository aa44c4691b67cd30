"""Collect everything that a run needs on a GPU machine without a network."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli

PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]


def main(
    output: Annotated[Path, typer.Option(help="Output folder.")] = Path("bundle"),
    corpus: Annotated[Path, typer.Option(help="Folder of the converted corpora.")] = Path("corpus"),
    encoder: cli.EncoderOption = "pip",
    half: Annotated[bool, typer.Option("--fp16", help="Store the encoder as float16.")] = False,
    python: Annotated[str, typer.Option(help="Version of Python on the GPU machine.")] = "3.12",
    platform: Annotated[list[str] | None, typer.Option(help="Platform tag; repeatable.")] = None,
    part_mb: Annotated[int, typer.Option(min=1, help="Maximum size of a part, in MB.")] = 1000,
) -> None:
    """Collect everything that a run needs on a machine with PyTorch and CuPy but no network."""
    from bert_ner.packaging.bundle import BundlePlan, write_bundle
    from bert_ner.training.encoders import resolve

    plan = BundlePlan(
        root=Path(),
        corpus=corpus,
        encoder=resolve(encoder, gpu=False, notify=print),
        half=half,
        python=python,
        platforms=platform or PLATFORMS,
        part_bytes=part_mb * 2**20,
    )
    bundle = write_bundle(plan, output)
    size = bundle.size / 2**20
    print(f"{output}: {len(bundle.parts)} parts, {size:,.0f} MB, bundle {bundle.digest}")
    command = f"{output}/run.sh python -m scripts.train {bundle.example} --encoder encoder"
    print(f"on the GPU machine: {command}")


if __name__ == "__main__":
    cli.run(main)
