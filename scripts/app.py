"""Start the page on which pipelines can be tried, on this machine alone."""

from bert_ner import cli
from bert_ner.demo.launch import main

if __name__ == "__main__":
    cli.run(main)
