"""Find the entities of a text, of files, or of what comes in, with how sure they are."""

from bert_ner import cli
from bert_ner.annotation.annotate import main

if __name__ == "__main__":
    cli.run(main)
