"""Files and records that the tests of experiments share."""

from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from bert_ner.experiments.records import AblationRecord
from bert_ner.files import sha256, write_json

PLAN = """
seeds = [1, 2]
[budgets.small]
about = "a test"
every = { train = 2, dev = 1, test = 1 }
epochs = 2
[[switches]]
name = "crf"
group = "Decoder"
about = "A CRF."
"components.ner.model.decoder" = "crf"
[[switches]]
name = "frozen"
group = "Freezing"
about = "Frozen embeddings."
"components.transformer.model.frozen_layers" = 0
"""

Sentence = tuple[list[str], list[tuple[int, int, str]]]  # words, and half-open entities

WRONG: Sentence = (["Anna", "Berg", "lives", "in", "Oslo", "."], [(0, 2, "PER"), (4, 5, "ORG")])


def write_split(nlp: Language, path: Path, sentences: list[Sentence]) -> None:
    """Write a converted split of one sentence per document."""
    docs = []
    for words, ents in sentences:
        doc = Doc(nlp.vocab, words=words, sent_starts=[i == 0 for i in range(len(words))])
        doc.ents = [Span(doc, *ent) for ent in ents]
        docs.append(doc)
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(attrs=["SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(path)


def write_folds(folder: Path, pipeline: Path, train: Path, count: int = 2) -> None:
    """Write the folder of a cross-validation in which every fold has the same pipeline."""
    for number in range(count):
        fold = folder / f"{number + 1}-of-{count}"
        fold.mkdir(parents=True)
        (fold / "model-best").symlink_to(pipeline)
        write_json(fold / "fold.json", {"train": sha256(train)})


def make_record(test_f1: float, *, switch: str = "default", seed: int = 1) -> AblationRecord:
    """Make a record of a run with the same F1 on dev and test, for the only label."""
    prf = {"precision": test_f1, "recall": test_f1, "f1": test_f1}
    scores = {**prf, "labels": {"LOC": prf}, "words_per_second": 1, "loss": None}
    record: AblationRecord = {
        "switch": switch,
        "seed": seed,
        "settings": {
            "budget": {"every": {"train": 1, "dev": 1, "test": 1}, "epochs": 1},
            "encoder": "encoder",
            "source": "source",
            "files": "files",
            "machine": "machine",
            "switch": {"overrides": {}, "recipe": ["config", "0"], "rate": 1.0},
        },
        "documents": {"train": 10},
        "sentences": {"train": 10},
        "mentions": {"train": 10},
        "epochs": 1,
        "steps": 5,
        "scores": {split: {**scores, "confidence": None} for split in ("dev", "test")},  # type: ignore[typeddict-item]
        "trained_parameters": 1000,
        "processor_seconds_per_epoch": 10.0,
        "wall_seconds_per_epoch": 5.0,
        "peak_memory_mb": 1024,
    }
    return record
