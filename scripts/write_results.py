"""Write the measured results in docs/results/ into the README, so that no figure is typed."""

from bert_ner import cli
from bert_ner.evaluation.results_tables import main

if __name__ == "__main__":
    cli.run(main)
