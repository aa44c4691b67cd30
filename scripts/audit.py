"""Find the annotations of a split that are most likely wrong."""

from bert_ner import cli
from bert_ner.experiments.audit import main

if __name__ == "__main__":
    cli.run(main)
