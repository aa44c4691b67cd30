"""Install a wheel where this project is not, and check that it works there offline."""

from bert_ner import cli
from bert_ner.packaging.check import main

if __name__ == "__main__":
    cli.run(main)
