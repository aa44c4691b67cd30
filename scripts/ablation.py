"""Measure what each switch of a recipe is worth, and write docs/ablation.md."""

from bert_ner import cli
from bert_ner.experiments.ablation import main

if __name__ == "__main__":
    cli.run(main)
