"""Collect what a run needs on a machine without a network: `make bundle`."""

from bert_ner import cli
from bert_ner.packaging.bundle import main

if __name__ == "__main__":
    cli.run(main)
