"""The built-in sample: honest splits, legal formats, the same in every run."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.formats import ColumnFormat
from bert_ner.corpora.reader import read
from bert_ner.corpora.registry import CORPORA
from bert_ner.corpora.sample.generate import HERE, MOVIE_FORMAT, MOVIE_TEST, NEWS_FORMAT, NEWS_TEST
from bert_ner.corpora.sample.names import CLOSED
from bert_ner.corpora.sample.templates import Part, Template, fill, load, parse
from bert_ner.corpora.sources import fetch
from bert_ner.corpora.tags import Scheme, tags_to_spans

NEWS, MOVIES = load(HERE / "news_templates.txt"), load(HERE / "movie_templates.txt")


def sentences(path: Path, form: ColumnFormat) -> list[tuple[list[str], list[str]]]:
    documents, _ = read(path, form)
    return [([t.word for t in s], [t.tag for t in s]) for d in documents for s in d]


def mentions(path: Path, form: ColumnFormat) -> Counter[tuple[str, str]]:
    return Counter(
        (span.label, " ".join(words[span.start : span.end]))
        for words, tags in sentences(path, form)
        for span in tags_to_spans(tags, Scheme.IOB2)[0]
    )


def test_template_syntax() -> None:
    template = parse("[{firstname} van {lastname}|PER] , {city}-based , left [Oslo|LOC] .")
    names = {"firstname": "Jan", "lastname": "der Berg", "city": "New York"}
    filled = fill(template, names.__getitem__)
    assert " ".join(filled.words) == "Jan van der Berg , New York-based , left Oslo ."
    assert " ".join(filled.tags) == "B-PER I-PER I-PER I-PER O O O O O B-LOC O"
    relabelled = fill(template, names.__getitem__, lambda part: {"PER": "per"}.get(part.label, ""))
    assert relabelled.tags[0] == "B-per"
    assert relabelled.tags[-2] == "O"


def test_there_are_enough_templates_and_no_two_splits_share_one() -> None:
    def count(templates: dict[tuple[str, str], list[Template]]) -> int:
        return sum(map(len, templates.values()))

    assert count(NEWS) >= 60
    assert count(MOVIES) >= 40
    for templates in (NEWS, MOVIES):
        by_split = [
            {t for (s, _), group in templates.items() if s == split for t in group}
            for split in ("train", "dev")
        ]
        assert not by_split[0] & by_split[1]
        kinds = {split: {k for s, k in templates if s == split} for split in ("train", "dev")}
        assert kinds["train"] == kinds["dev"]


@pytest.mark.parametrize(
    ("path", "form", "templates", "least"),
    [(NEWS_TEST, NEWS_FORMAT, NEWS, 150), (MOVIE_TEST, MOVIE_FORMAT, MOVIES, 100)],
)
def test_hand_written_test_is_large_legal_and_not_from_the_templates(
    path: Path,
    form: ColumnFormat,
    templates: dict[tuple[str, str], list[Template]],
    least: int,
) -> None:
    written = sentences(path, form)
    assert len(written) >= least
    assert all(tags_to_spans(tags, Scheme.IOB2)[1] == 0 for _, tags in written)
    without = sum(set(tags) == {"O"} for _, tags in written)
    assert 0.03 < without / len(written) < 0.25
    patterns = [
        re.compile(" ".join(_pattern(part) for part in template))
        for (_, kind), group in templates.items()
        for template in group
        if kind != "table"  # rows of tables are alike everywhere
    ]
    for words, tags in written:
        masked = _masked(words, tags)
        assert not any(pattern.fullmatch(masked) for pattern in patterns), masked


def _pattern(part: Part) -> str:
    """An entity as its label, a slot as any token."""
    if part.label:
        return f"<{part.label}>"
    return re.sub(r"\\\{\w+\\\}", r"\\S+", re.escape(part.words[0]))


def _masked(words: list[str], tags: list[str]) -> str:
    spans = tags_to_spans(tags, Scheme.IOB2)[0]
    for start, end, label in reversed(spans):
        words = [*words[:start], f"<{label}>", *words[end:]]
    return " ".join(words)


@pytest.mark.parametrize("name", ["conll2003", "mit_movie"])
def test_splits_share_no_names(name: str, tmp_path: Path) -> None:
    corpus = CORPORA[name]
    assert corpus.sample
    corpus.sample(tmp_path)
    files = corpus.present(tmp_path)
    assert set(files) == {"train", "dev", "test"}
    form = corpus.format
    assert isinstance(form, ColumnFormat)
    open_labels = {
        "PER",
        "LOC",
        "ORG",
        "MISC",
        "ACTOR",
        "DIRECTOR",
        "TITLE",
        "CHARACTER",
        "SONG",
        "PLOT",
    }
    names = {
        split: {
            text.lower() for label, text in mentions(tmp_path / file, form) if label in open_labels
        }
        for split, file in files.items()
    }
    assert len(names["train"]) > 1000
    for first, second in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not names[first] & names[second]


def test_it_is_the_same_in_every_run(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for corpus in CORPORA.values():
            assert corpus.sample
            corpus.sample(tmp_path / name)
        written.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert written[0] == written[1]


@pytest.mark.parametrize("name", CORPORA)
def test_it_goes_through_the_converter(name: str, tmp_path: Path) -> None:
    corpus = replace(CORPORA[name], public=None)
    assert fetch(corpus, tmp_path).kind == "sample"
    stats = convert_corpus(corpus, tmp_path, tmp_path / "out").stats
    assert all(split["repaired_tags"] == 0 for split in stats["splits"].values())
    assert all(split["sentences"] > 100 for split in stats["splits"].values())


def test_closed_lists_are_lists_of_some_slot() -> None:
    import tomllib

    known = {
        slot
        for name in ("news_lists.toml", "movie_lists.toml")
        for slot in tomllib.loads((HERE / name).read_text())
    }
    assert known >= CLOSED
