"""Package a trained pipeline as a wheel that needs neither this project nor a hub."""

from bert_ner import cli
from bert_ner.packaging.build import main

if __name__ == "__main__":
    cli.run(main)
