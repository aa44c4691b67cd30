"""Make a variant of a pipeline that a CPU runs faster: its encoder in 8-bit integers."""

from bert_ner import cli
from bert_ner.packaging.quantize import main

if __name__ == "__main__":
    cli.run(main)
