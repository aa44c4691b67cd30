"""Serve a pipeline over HTTP."""

from bert_ner import cli
from bert_ner.serving.access import main

if __name__ == "__main__":
    cli.run(main)
