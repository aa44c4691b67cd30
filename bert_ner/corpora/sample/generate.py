"""Writes the built-in sample in each corpus's native format, the same in every run."""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..formats import ColumnFormat
from ..reader import read
from ..tags import Scheme, tags_to_spans
from .names import Names
from .templates import Filled, Part, Template, fill, load

HERE = Path(__file__).parent
NEWS_TEST = HERE / "news_test.txt"
MOVIE_TEST = HERE / "movie_test.bio"
NEWS_FORMAT = ColumnFormat(token=0, tag=3, columns=4, separator=" ", document_marker="-DOCSTART-")
MOVIE_FORMAT = ColumnFormat(tag=0, token=1, columns=2)
DOCUMENTS = {"train": 360, "dev": 60}
QUERIES = {"train": 3200, "dev": 400}

NewsDocument = list[Filled]
Relabel = Callable[[Part], str]

# The two corpora of MIT Movie have different labels for the same things. In trivia10k13
# titles are the answers, so they are not labelled.
TRIVIA_LABELS = {
    "ACTOR": "Actor",
    "CHARACTER": "Character_Name",
    "DIRECTOR": "Director",
    "GENRE": "Genre",
    "PLOT": "Plot",
    "RATINGS_AVERAGE": "Opinion",
    "REVIEW": "Opinion",
    "SONG": "Soundtrack",
    "YEAR": "Year",
}
GMB_LABELS = {"PER": "per", "ORG": "org", "LOC": "geo"}
GMB_SLOTS = {"nationality": "gpe", "event": "eve", "work": "art"}


def write_conll(folder: Path) -> None:
    """Write train.txt, valid.txt and test.txt in the format of CoNLL-2003."""
    for split, name in (("train", "train.txt"), ("dev", "valid.txt")):
        with (folder / name).open("w", encoding="utf-8", newline="\n") as file:
            for document in news(split):
                file.write("-DOCSTART- -X- -X- O\n\n")
                for words, tags in document:
                    lines = zip(words, tags, strict=True)
                    file.writelines(f"{word} _ _ {tag}\n" for word, tag in lines)
                    file.write("\n")
    (folder / "test.txt").write_bytes(NEWS_TEST.read_bytes())


def write_mit_movie(folder: Path) -> None:
    """Write engtrain.bio, engdev.bio and engtest.bio in the format of MIT Movie."""
    _write_bio(folder / "engtrain.bio", queries("train"))
    _write_bio(folder / "engdev.bio", queries("dev"))
    _write_bio(folder / "engtest.bio", _movie_test())


def write_mit_trivia(folder: Path) -> None:
    """Write the same queries with the labels of trivia10k13."""
    _write_bio(folder / "trivia10k13train.bio", _as_trivia(queries("train")))
    _write_bio(folder / "trivia10k13dev.bio", _as_trivia(queries("dev")))
    _write_bio(folder / "trivia10k13test.bio", _as_trivia(_movie_test()))


def write_gmb(folder: Path) -> None:
    """Write ner_dataset.csv from the news sentences, with GMB's labels.

    GMB has no splits, so here train and test come from the same templates.
    """
    sentences = [s for document in news("train", _gmb_label) for s in document if _is_cp1252(s)]
    path = folder / "ner_dataset.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Sentence #", "Word", "POS", "Tag"])
        for number, (words, tags) in enumerate(sentences, start=1):
            for i, (word, tag) in enumerate(zip(words, tags, strict=True)):
                rows.writerow([f"Sentence: {number}" if i == 0 else "", word, "_", tag])


def news(split: str, relabel: Relabel = lambda part: part.label) -> Iterator[NewsDocument]:
    """Generate news documents: reports of several sentences; one in four ends in a table."""
    templates = {
        kind: t for (s, kind), t in load(HERE / "news_templates.txt").items() if s == split
    }
    names = Names(
        HERE / "news_lists.toml", split, seed="news", taken=_mentions(NEWS_TEST, NEWS_FORMAT)
    )
    choose = names.random.choice

    def headline() -> Filled:
        filled = fill(choose(templates["headline"]), lambda slot: names.pick(slot).upper(), relabel)
        return filled._replace(words=[word.upper() for word in filled.words])

    def sentence(kind: str) -> Filled:
        return fill(choose(templates[kind]), names.pick, relabel)

    for number in range(DOCUMENTS[split]):
        names.start_document()
        document = [headline(), fill(_dateline(names), names.pick, relabel)]
        if number % 4 == 3:
            row: Template = choose(templates["table"])
            rows = names.random.randint(3, 8)
            document += [fill(row, names.pick, relabel) for _ in range(rows)]
        for _ in range(names.random.randint(3, 9)):
            kind = "plain" if names.random.random() < 0.15 else "sentence"
            document.append(sentence(kind))
        yield document


def _dateline(names: Names) -> Template:
    month, day = names.random.randint(1, 12), names.random.randint(1, 28)
    date = f"{names.random.randint(1995, 2024)}-{month:02}-{day:02}"
    return (Part(("{city}",), "LOC"), Part((date,), ""))


def queries(split: str) -> Iterator[Filled]:
    """Generate movie queries in lower case, one in fifteen without an entity."""
    templates = {k: t for (s, k), t in load(HERE / "movie_templates.txt").items() if s == split}
    names = Names(
        HERE / "movie_lists.toml",
        split,
        seed="movies",
        taken=_mentions(MOVIE_TEST, MOVIE_FORMAT),
        lower=True,
    )
    for _ in range(QUERIES[split]):
        kind = "plain" if names.random.random() < 1 / 15 else "query"
        yield fill(names.random.choice(templates[kind]), names.pick)


def _movie_test() -> Iterator[Filled]:
    documents, _ = read(MOVIE_TEST, MOVIE_FORMAT)
    for sentence in documents[0]:
        yield Filled([token.word for token in sentence], [token.tag for token in sentence])


def _mentions(path: Path, form: ColumnFormat) -> set[str]:
    """Collect the names in a test split, in lower case."""
    documents, _ = read(path, form)
    return {
        " ".join(token.word for token in sentence[span.start : span.end]).lower()
        for document in documents
        for sentence in document
        for span in tags_to_spans([token.tag for token in sentence], Scheme.IOB2)[0]
    }


def _write_bio(path: Path, sentences: Iterable[Filled]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for words, tags in sentences:
            file.writelines(f"{tag}\t{word}\n" for word, tag in zip(words, tags, strict=True))
            file.write("\n")


def _as_trivia(sentences: Iterable[Filled]) -> Iterator[Filled]:
    for words, tags in sentences:
        yield Filled(words, [_trivia_tag(tag) for tag in tags])


def _trivia_tag(tag: str) -> str:
    label = TRIVIA_LABELS.get(tag[2:])
    return f"{tag[:2]}{label}" if label else "O"


def _gmb_label(part: Part) -> str:
    if part.label in GMB_LABELS:
        return GMB_LABELS[part.label]
    return next((GMB_SLOTS[slot] for slot in part.slots() if slot in GMB_SLOTS), "")


def _is_cp1252(sentence: Filled) -> bool:
    try:
        " ".join(sentence.words).encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
