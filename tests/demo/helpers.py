"""Pipelines to try in the demo: an installed one that finds six words, and folders."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import spacy

from bert_ner.files import write_json

LABEL = "<img src=x onerror=alert(1)>"
WORDS = {
    "Oslo": ("LOC", 0.95),
    "Anna": ("PER", 0.6),
    "Telvar": ("ORG", 0.3),
    "evil": (LABEL, 0.5),
    "سلمى": ("PER", 0.9),
    "Ark": ("MISC", 0.8),
}
PACKAGE = f"""
import os, spacy
from pathlib import Path
from spacy.language import Language
from spacy.tokens import Span
from spacy.util import load_model_from_init_py

WORDS = {WORDS!r}

@Language.factory("six_words", assigns=["doc.ents"])
def six_words(nlp, name):
    Span.has_extension("confidence") or Span.set_extension("confidence", default=None)
    def find(doc):
        with Path(os.environ["RUNS"]).open("a") as file:
            file.write("run\\n")
        if "unbearable" in doc.text:
            raise RuntimeError("cannot bear <b>it</b>")
        tokens = [token for token in doc if token.text in WORDS]
        doc.ents = [Span(doc, t.i, t.i + 1, label=WORDS[t.text][0]) for t in tokens]
        for ent in doc.ents:
            ent._.confidence = WORDS[ent.text][1]
        return doc
    return find

def load(**overrides):
    return load_model_from_init_py(__file__, **overrides)
"""


@dataclass
class App:
    """A running demo: its address, and a file with a line for each run of the pipeline."""

    url: str
    runs: Path

    def count_runs(self) -> int:
        """Count the texts that the pipeline has annotated."""
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


def write_installed(folder: Path, monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    """Write a package as pip installs it, with a pipeline that finds six words."""
    monkeypatch.setenv("RUNS", str(runs))
    package = folder / "en_six_words"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    info = folder / "en_six_words-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: en_six_words\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spacy_models]\nen_six_words = en_six_words\n")
    exec(PACKAGE, {"__file__": str(package / "__init__.py")})  # registers the factory here, too
    nlp = spacy.blank("en")
    nlp.add_pipe("six_words")
    scores = {"p": 0.91, "r": 0.82, "f": 0.86}
    nlp.meta |= {
        "name": "six_words",
        "version": "1.0",
        "sources": [{"name": "<b>six words"}],
        "corpus": {"kind": "sample"},
        "notes": "Strict entity scores on the test split.",
        "performance": {f"ents_{k}": v for k, v in scores.items()}
        | {"ents_per_type": {LABEL: scores, "PER": scores}},
    }
    nlp.to_disk(package / "en_six_words-1.0")
    write_json(package / "meta.json", nlp.meta)


def write_built(training: Path) -> None:
    """Write pipelines: one without confidence, one that does not load, one without entities."""
    folders = [training / "config" / name for name in ("mit_movie", "broken", "silent")]
    for folder in folders:
        folder.mkdir(parents=True)
    nlp = spacy.blank("en")
    nlp.to_disk(folders[2] / "pipeline")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "GENRE", "pattern": "western"}])
    for folder in folders[:2]:
        nlp.to_disk(folder / "pipeline")
    (folders[1] / "pipeline" / "vocab" / "strings.json").write_text("{")
