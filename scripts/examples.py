"""Run a pipeline on marked-up sentences and record what it found, right and wrong."""

from bert_ner import cli
from bert_ner.evaluation.examples import main

if __name__ == "__main__":
    cli.run(main)
