"""Finish a trained pipeline: merge adapters, calibrate confidence on dev, let documents forget."""

from bert_ner import cli
from bert_ner.calibration.finish import main

if __name__ == "__main__":
    cli.run(main)
