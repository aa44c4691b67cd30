"""Train, for each part of the train split, a pipeline that has not seen it."""

from bert_ner import cli
from bert_ner.experiments.cross_validation import main

if __name__ == "__main__":
    cli.run(main)
