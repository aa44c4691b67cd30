from pathlib import Path

import pytest

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA, get_corpus
from bert_ner.corpora.sources import fetch
from bert_ner.errors import InputError
from bert_ner.files import read_json, write_json


def test_conll(assets: Path, tmp_path: Path) -> None:
    stats = convert_corpus(CORPORA["conll2003"], assets, tmp_path / "out").stats
    assert stats["schemes"] == {"train": "IOB2", "dev": "IOB2", "test": "IOB2"}
    assert stats["splits"]["train"] == {
        "documents": 16,
        "sentences": 24,
        "tokens": 152,
        "entities": {"LOC": 24, "MISC": 8, "ORG": 8, "PER": 8, "all": 48},
        "repaired_tags": 0,
        "repeated_sentences": 7,
    }
    assert stats["sentences_also_in"]["dev in train"] == 9
    source = read_json(tmp_path / "out" / "source.json")
    assert source["kind"] == "user"
    assert set(source["files"]) == {"train.txt", "valid.txt", "test.txt"}


def test_dev_is_cut_from_train_where_there_is_none(assets: Path, tmp_path: Path) -> None:
    stats = convert_corpus(CORPORA["mit_movie"], assets, tmp_path / "out").stats
    train, dev, test = (stats["splits"][split]["sentences"] for split in ("train", "dev", "test"))
    assert train + dev == 30
    assert dev >= 3
    assert test == 12
    assert stats["sentences_also_in"]["dev in train"] == 0  # though a third are repeated


def test_iob1_is_detected_and_gives_the_same_entities(assets: Path, tmp_path: Path) -> None:
    before = convert_corpus(CORPORA["conll2003"], assets, tmp_path / "iob2").stats["splits"]
    for path in (assets / "conll2003").iterdir():
        path.write_text(path.read_text().replace(" B-", " I-"))
    stats = convert_corpus(CORPORA["conll2003"], assets, tmp_path / "iob1").stats
    assert set(stats["schemes"].values()) == {"IOB1"}
    assert stats["splits"] == before


def test_unmarked_documents_are_grouped(assets: Path, tmp_path: Path) -> None:
    for path in (assets / "conll2003").iterdir():
        path.write_text(path.read_text().replace("-DOCSTART- -X- -X- O\n\n", ""))
    corpus = CORPORA["conll2003"]
    stats = convert_corpus(corpus, assets, tmp_path / "a").stats
    assert stats["splits"]["train"]["documents"] == 3  # 24 sentences by 10
    stats = convert_corpus(corpus, assets, tmp_path / "b", sentences_per_document=4).stats
    assert stats["splits"]["train"]["documents"] == 6


def test_marked_documents_of_one_sentence_are_not_grouped(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "corpus.toml").write_text('train = "a.txt"\nsentences_per_document = 10')
    text = "".join(f"-DOCSTART- O\n\nOslo{i} B-LOC\n\n" for i in range(39)) + "one O\n\ntwo O\n"
    (folder / "a.txt").write_text(text)
    splits = convert_corpus(get_corpus("own", tmp_path), tmp_path, tmp_path / "out").stats["splits"]
    assert [splits[s]["documents"] for s in ("train", "dev", "test")] == [31, 4, 4]


def test_grouped_sentences_are_cut_before_they_are_grouped(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "corpus.toml").write_text('train = "a.txt"\nsentences_per_document = 3')
    (folder / "a.txt").write_text("".join(f"Oslo{i % 40} B-LOC\n\n" for i in range(120)))
    stats = convert_corpus(get_corpus("own", tmp_path), tmp_path, tmp_path / "out").stats
    assert set(stats["sentences_also_in"].values()) == {0}
    assert stats["splits"]["train"]["documents"] == stats["splits"]["train"]["sentences"] / 3


def test_bad_input_leaves_the_last_output_alone(assets: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    convert_corpus(CORPORA["conll2003"], assets, output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    with (assets / "conll2003" / "test.txt").open("a") as file:
        file.write("three columns O\n")
    with pytest.raises(InputError, match=r"test.txt:\d+: expected 4 columns"):
        convert_corpus(CORPORA["conll2003"], assets, output)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert list(tmp_path.glob(".*")) == []


def test_the_sample_does_not_replace_a_corpus_that_was_converted_elsewhere(tmp_path: Path) -> None:
    corpus, output = get_corpus("conll2003", tmp_path / "assets"), tmp_path / "conll2003"
    fetch(corpus, tmp_path / "assets")
    convert_corpus(corpus, tmp_path / "assets", output)
    convert_corpus(corpus, tmp_path / "assets", output)  # the sample after the sample
    record = read_json(output / "source.json")
    write_json(output / "source.json", {**record, "kind": "provided", "title": "CoNLL-2003"})
    before = (output / "test.spacy").read_bytes()
    with pytest.raises(
        InputError, match=r"contains CoNLL-2003, and the built-in sample .* replace"
    ):
        convert_corpus(corpus, tmp_path / "assets", output)
    assert (output / "test.spacy").read_bytes() == before


def test_too_small_to_split(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "corpus.toml").write_text('train = "a.txt"')
    (folder / "a.txt").write_text("Oslo B-LOC\n")
    with pytest.raises(InputError, match="too few sentences"):
        convert_corpus(get_corpus("own", tmp_path), tmp_path, tmp_path / "out")


# From the tables of the corpora's own documentation: sentences, tokens, entities.
REAL: dict[str, dict[str, tuple[int, int, int, dict[str, int]]]] = {
    "conll2003": {
        "train": (946, 14041, 203621, dict(LOC=7140, MISC=3438, ORG=6321, PER=6600, all=23499)),
        "dev": (216, 3250, 51362, dict(LOC=1837, MISC=922, ORG=1341, PER=1842, all=5942)),
        "test": (231, 3453, 46435, dict(LOC=1668, MISC=702, ORG=1661, PER=1617, all=5648)),
    },
    "mit_movie": {"test": (2443, 2443, 24686, {"all": 5339})},
    "mit_trivia": {"test": (1953, 1953, 39035, {"all": 5686})},
}
REAL_TOTAL = {
    "conll2003": (20744, 301418, 35089),
    "mit_movie": (9775 + 2443, 99491 + 24686, 21295 + 5339),
    "mit_trivia": (7816 + 1953, 158823 + 39035, 23030 + 5686),
    "gmb": (47959, 1048575, 111891),
}


@pytest.mark.parametrize("name", REAL_TOTAL)
def test_real_corpora_have_the_published_counts(
    name: str, tmp_path: Path, real_corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NER_CORPORA", str(real_corpora))
    source = fetch(CORPORA[name], tmp_path)
    assert source.kind == "provided"
    stats = convert_corpus(CORPORA[name], tmp_path, tmp_path / "out").stats
    splits = stats["splits"]
    assert set(stats["schemes"].values()) == {"IOB2"}
    for split, (documents, sentences, tokens, entities) in REAL.get(name, {}).items():
        counts = splits[split]
        assert (counts["documents"], counts["sentences"], counts["tokens"]) == (
            documents,
            sentences,
            tokens,
        )
        assert entities.items() <= counts["entities"].items()
    assert REAL_TOTAL[name] == (
        sum(split["sentences"] for split in splits.values()),
        sum(split["tokens"] for split in splits.values()),
        sum(split["entities"]["all"] for split in splits.values()),
    )
    assert all(split["repaired_tags"] == 0 for split in splits.values())
    shared = stats["sentences_also_in"]
    if name == "conll2003":
        assert shared["test in train"] == 126
    elif name == "mit_movie":
        assert shared["dev in train"] == 0
        assert shared["test in train"] + shared["test in dev"] == 24
    else:
        assert set(shared.values()) == {0}


def test_real_gmb_labels_and_rare_words(
    tmp_path: Path, real_corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    monkeypatch.setenv("NER_CORPORA", str(real_corpora))
    fetch(CORPORA["gmb"], tmp_path)
    splits = convert_corpus(CORPORA["gmb"], tmp_path, tmp_path / "out").stats["splits"]
    expected = dict(
        geo=37644, tim=20333, org=20143, per=16990, gpe=15870, art=402, eve=308, nat=201
    )
    for label, count in expected.items():
        assert sum(split["entities"][label] for split in splits.values()) == count
    vocab = Vocab()
    tokens = [
        token
        for split in ("train", "dev", "test")
        for doc in DocBin().from_disk(tmp_path / "out" / f"{split}.spacy").get_docs(vocab)
        for token in doc
    ]
    assert sum(token.text == "None" for token in tokens) == 10
    assert sum(token.text == "\u2026" for token in tokens) == 4
    assert sum("\u00a0" in token.text for token in tokens) == 1
    assert len({token.tag_ for token in tokens}) == 42
