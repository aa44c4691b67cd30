"""Train a recipe on a converted corpus, through `spacy train`."""

from bert_ner import cli
from bert_ner.training.trainer import main

if __name__ == "__main__":
    cli.run(main)
