"""Pick min_confidence for a wanted precision, and say what it costs in recall."""

from bert_ner import cli
from bert_ner.calibration.threshold import main

if __name__ == "__main__":
    cli.run(main)
