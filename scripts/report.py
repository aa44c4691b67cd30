"""Score a pipeline in every way there is, and write a page for people to read."""

from bert_ner import cli
from bert_ner.evaluation.report import main

if __name__ == "__main__":
    cli.run(main)
