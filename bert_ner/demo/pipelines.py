"""Which pipelines there are to try, and what they say of themselves."""

from pathlib import Path
from threading import Lock
from typing import NamedTuple

import spacy
from spacy.language import Language
from spacy.util import get_installed_models, get_package_path, is_package, load_config

from ..annotation.annotator import (
    LONGEST_WORD,
    PIPELINE,
    Annotation,
    annotate,
    explain,
    labels_of,
    longest_word,
)
from ..annotation.annotator import load as load_pipeline
from ..errors import InputError
from ..loading import trained_on

LIMIT = 100_000  # characters of a text
_LOCK = Lock()  # a page has a thread for each visitor, spaCy's memory zones are for one


def find(names: list[str], training: Path = Path("training")) -> list[str]:
    """The pipelines to choose from.

    names (list[str]): Those wanted, installed or folders; all there are if empty.
    training (Path): The folder of trainings, where those of the project are.
    RETURNS (list[str]): Names and folders, `en_bert_ner` first.
    RAISES (InputError): If one wanted is not there, or there is none at all.
    """
    for name in names:
        if not (is_package(name) or Path(name).is_dir()):
            raise InputError(f"--pipeline {name}: neither an installed pipeline nor a folder.")
    if names:
        return names
    installed = [name for name in get_installed_models() if finds_entities(_folder(name))]
    built = [str(path) for path in training.glob("*/*/pipeline*") if finds_entities(path)]
    found = [*sorted(installed, key=lambda name: (name != PIPELINE, name)), *sorted(built)]
    if not found:
        raise InputError(
            "no pipeline that finds entities is installed or built. Run `spacy project run all`, "
            "or name one with --pipeline."
        )
    return found


def _folder(name: str) -> Path:
    """The folder with an installed pipeline's config.cfg."""
    package: Path = get_package_path(name)
    return next((path.parent for path in package.glob("*/config.cfg")), package)


def finds_entities(folder: Path) -> bool:
    """Whether a pipeline has a component that finds entities, as far as can be seen unloaded."""
    try:
        config = load_config(folder / "config.cfg")
        factories = [config["components"][p]["factory"] for p in config["nlp"]["pipeline"]]
        nlp = spacy.blank(config["nlp"]["lang"])  # registers what packages bring
    except Exception:  # a damaged config may be wrong in any way
        return False
    return any(
        "doc.ents" in nlp.get_factory_meta(factory).assigns
        for factory in factories
        if nlp.has_factory(factory)
    )


def load(name: str) -> Language:
    """Load a pipeline, as `bert_ner.annotation.annotator.load` does."""
    with _LOCK:
        try:
            return load_pipeline(name)
        except InputError:
            raise
        except Exception as error:  # of any library that a component is made with
            raise InputError(f"{name}: not a pipeline that loads: {explain(error)}") from error


def annotate_text(nlp: Language, text: str) -> Annotation:
    """Annotate one text, one after the other.

    nlp (Language): The pipeline.
    text (str): The text.
    RETURNS (Annotation): See `bert_ner.annotation.annotator.to_annotation`.
    RAISES (InputError): If there is no text, if it or a word of it is too long, or what went
        wrong with it.
    """
    if not text.strip():
        raise InputError("There is no text yet. Type or paste some, or click an example.")
    if len(text) > LIMIT:
        raise InputError(
            f"The text has {len(text):,} characters, and this page takes {LIMIT:,}. Shorten it."
        )
    if (length := longest_word(text)) > LONGEST_WORD:
        raise InputError(
            f"The text has {length:,} characters without white space between them, and this page "
            f"takes {LONGEST_WORD:,}. Put spaces between words."
        )
    with _LOCK:
        (found,) = annotate(nlp, [text])
    if isinstance(found, Exception):
        raise InputError(f"The pipeline failed on this text. {explain(found)}") from found
    return found


class Scores(NamedTuple):
    """Precision, recall and F1 from 0 to 1, of all entities or those of a label."""

    of: str
    precision: float
    recall: float
    f1: float


def describe(nlp: Language) -> str:
    """What a pipeline was trained on, and what it finds, in a sentence or two."""
    corpus = nlp.meta.get("corpus")
    made_up = isinstance(corpus, dict) and corpus.get("kind") == "sample"
    warning = " The sample was made up by a program: expect mistakes on real text."
    return (
        f"Trained on: {trained_on(nlp)}. Finds: {', '.join(labels_of(nlp)) or 'unknown'}."
        f"{warning if made_up else ''}"
    )


def scores_of(nlp: Language) -> tuple[str, list[Scores]]:
    """What a pipeline says of its scores.

    RETURNS (tuple[str, list[Scores]]): On what they were measured, and the scores, those
        of all entities first; none if it gives none.
    """
    said = nlp.meta.get("performance") or {}
    by_label = said.get("ents_per_type") or {}
    overall = {key: said.get(f"ents_{key}") for key in "prf"}
    found = [
        Scores(of, float(s["p"]), float(s["r"]), float(s["f"]))
        for of, s in [("all", overall), *sorted(by_label.items())]
        if all(isinstance(s.get(key), int | float) for key in "prf")
    ]
    own = "Measured on the dev split while it was trained."
    given = own if nlp.meta.get("training") else "As its author gives them."
    return str(nlp.meta.get("notes") or given), found
