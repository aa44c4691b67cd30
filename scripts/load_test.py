"""Drive the service with many clients, with and without batches, and say if a bar is missed."""

from bert_ner import cli
from bert_ner.benchmark.load_test import main

if __name__ == "__main__":
    cli.run(main)
