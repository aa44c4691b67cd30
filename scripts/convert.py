"""Convert a corpus's native files to corpus/<corpus>/{train,dev,test}.spacy."""

from bert_ner import cli
from bert_ner.corpora.convert import main

if __name__ == "__main__":
    cli.run(main)
