"""Score a trained pipeline on the dev and test splits of a converted corpus."""

from bert_ner import cli
from bert_ner.evaluation.scoring import main

if __name__ == "__main__":
    cli.run(main)
