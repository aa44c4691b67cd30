"""Measure `python -m scripts.annotate` at length: kills, memory, and workers of each engine."""

from bert_ner import cli
from bert_ner.benchmark.soak_test import main

if __name__ == "__main__":
    cli.run(main)
