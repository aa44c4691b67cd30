"""Measure how fast pipelines are, beside what else there is, and say if a bar is missed."""

from bert_ner import cli
from bert_ner.benchmark.speed import main

if __name__ == "__main__":
    cli.run(main)
