"""Ranking annotations by how likely they are wrong."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin

from bert_ner.corpora.registry import CORPORA, Name
from bert_ner.errors import InputError
from bert_ner.evaluation.label_errors import DEPTHS, Suspect, judge
from bert_ner.experiments.audit import audit, audit_train, find_corrected, main
from bert_ner.experiments.folds import fold_folder
from bert_ner.files import sha256, write_json
from bert_ner.pipes.crf import log_probabilities
from bert_ner.pipes.tags import tagset
from tests.pipes.training import SENTENCES, Build, train

WRONG = (["Anna", "Berg", "lives", "in", "Oslo", "."], [(0, 2, "PER"), (4, 5, "ORG")])


def test_the_probability_of_a_tag_is_that_over_all_legal_sequences() -> None:
    tags = tagset(("LOC",), "biluo")
    size, temperature = 4, 1.7
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(size, len(tags.tags), generator=generator, dtype=torch.double)
    transitions = tags.constrain(torch.randn(6, 6, generator=generator, dtype=torch.double))
    weights: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(len(tags.tags)), repeat=size):
        steps = zip((-1, *path), (*path, -1), strict=True)
        total = sum(float(transitions[a, b]) for a, b in steps)
        total += sum(float(scores[i, tag]) for i, tag in enumerate(path))
        weights[path] = np.exp(total / temperature)
    given = [0, -1, 2, 1]
    found = log_probabilities([scores], transitions, [given], temperature)[0]
    assert found[1] == 0.0
    for token in (0, 2, 3):
        agreeing = sum(w for path, w in weights.items() if path[token] == given[token])
        assert np.exp(found[token]) == pytest.approx(agreeing / sum(weights.values()), abs=1e-9)


def test_precision_and_recall_of_a_ranking() -> None:
    suspects = [Suspect(i, 0, 5, doubt=600.0 - i, token=0) for i in range(600)]
    rows = judge(suspects, {(i, 0) for i in (0, 10, 49, 99, 599)})
    assert [row["sentences"] for row in rows] == [5, *DEPTHS]
    assert (rows[0]["precision"], rows[0]["recall"]) == (1 / 5, 1 / 5)
    assert (rows[1]["precision"], rows[1]["recall"]) == (3 / 50, 3 / 5)
    assert (rows[3]["precision"], rows[3]["recall"]) == (4 / 500, 4 / 5)
    assert judge(suspects[:70], set())[0] == {"sentences": 50, "precision": 0.0, "recall": 0.0}


def write(nlp: spacy.Language, path: Path, sentences: list[Any]) -> None:
    docs = []
    for words, ents in sentences:
        doc = Doc(nlp.vocab, words=words, sent_starts=[True] + [False] * (len(words) - 1))
        doc.ents = [spacy.tokens.Span(doc, *ent) for ent in ents]
        docs.append(doc)
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(attrs=["SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs).to_disk(path)


CORRECTED = """-DOCSTART- -X- -X- O

rain NN O O
fell NN O O
all NN O O
day NN O O
. . O O

-DOCSTART- -X- -X- O

Anna NNP O B-PER
Berg NNP O I-PER
lives NN O O
in NN O O
Oslo NNP O B-LOC
. . O O

"""


def test_a_wrong_label_comes_first_and_is_judged(
    build: Build,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nlp = build()
    train(nlp, steps=40)
    nlp.to_disk(tmp_path / "pipeline")
    for split in ("dev", "test"):
        write(nlp, tmp_path / "corpus" / "conll2003" / f"{split}.spacy", [SENTENCES[2], WRONG])
    output, page = tmp_path / "audit.jsonl", tmp_path / "audit.html"
    (tmp_path / "corrected.txt").write_text(CORRECTED)
    main(
        Name("conll2003"),
        tmp_path / "pipeline",
        output,
        page,
        data=tmp_path / "corpus",
        corrected=tmp_path / "corrected.txt",
        gpu_id="-1",
    )
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert (rows[0]["document"], rows[0]["token"]) == (1, 4)
    assert rows[0]["gold"] == [[0, 2, "PER"], [4, 5, "ORG"]]
    assert [mention[:3] for mention in rows[0]["predicted"]] == [[0, 2, "PER"], [4, 5, "LOC"]]
    assert rows[0]["doubt"] > rows[1]["doubt"] >= 0
    assert "Oslo" not in output.read_text()
    assert "“Oslo”" in page.read_text()
    write(nlp, tmp_path / "new.spacy", [(["Oslo"], [(0, 1, "GPE")])])
    with pytest.raises(InputError, match="has the label GPE, which the pipeline was not trained"):
        audit(nlp, tmp_path / "new.spacy")
    printed = capsys.readouterr().out
    assert "1 sentences were changed" in printed
    assert "100.00 as corrected" in printed
    judged = json.loads((tmp_path / "audit.judged.json").read_text())
    assert (judged["changed_sentences"], judged["pipeline"]) == (1, "en_pipeline")
    # what an earlier run has judged does not stay beside a later one
    main(
        Name("conll2003"),
        tmp_path / "pipeline",
        output,
        page,
        data=tmp_path / "corpus",
        split="dev",
        gpu_id="-1",
    )
    assert not (tmp_path / "audit.judged.json").exists()


def test_what_cannot_doubt_is_refused(tmp_path: Path) -> None:
    write(spacy.blank("en"), tmp_path / "test.spacy", [WRONG])
    with pytest.raises(InputError, match="cannot doubt"):
        audit(spacy.blank("en"), tmp_path / "test.spacy")
    with pytest.raises(InputError, match="--split all: expected train, dev or test"):
        main(Name("conll2003"), tmp_path, tmp_path / "a", tmp_path / "b", split="all")


@pytest.fixture
def folds(
    build: Build,
    tmp_path: Path,
) -> tuple[Path, Path]:
    """A train split whose third document is wrong, and pipelines that stand for its two folds."""
    train_path = tmp_path / "corpus" / "conll2003" / "train.spacy"
    write(spacy.blank("en"), train_path, [SENTENCES[0], SENTENCES[1], WRONG, SENTENCES[2]])
    nlp = build()
    train(nlp, steps=40)
    for k in range(2):
        folder = fold_folder(tmp_path / "folds", k, 2)
        folder.mkdir(parents=True)
        nlp.to_disk(folder / "model-best")
        write_json(folder / "fold.json", {"train": sha256(train_path)})
    return tmp_path / "folds", train_path


def test_each_document_of_train_is_judged_by_the_fold_that_has_not_seen_it(
    folds: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load_pipeline(path: Path) -> spacy.Language:
        loaded.append(path.parent.name)
        return spacy.load(path)

    monkeypatch.setattr("bert_ner.experiments.audit.load_pipeline", load_pipeline)
    found = audit_train(*folds)
    assert loaded == ["1-of-2", "2-of-2"]
    assert [document.words[0] for document in found.documents] == ["Anna", "The", "Anna", "rain"]
    assert (found.suspects[0].document, found.suspects[0].token) == (2, 4)
    output = tmp_path / "audit.jsonl"
    main(
        Name("conll2003"),
        folds[0],
        output,
        tmp_path / "audit.html",
        data=tmp_path / "corpus",
        split="train",
        gpu_id="-1",
    )
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows[0]["document"] == 2
    assert sorted(row["document"] for row in rows) == [0, 1, 2, 3]


def test_folds_that_are_missing_or_of_another_train_are_refused(folds: tuple[Path, Path]) -> None:
    folder, train_path = folds
    with pytest.raises(InputError, match="expected the folds of one run, found none"):
        audit_train(folder.parent, train_path)
    (folder / "1-of-2.bak").mkdir()  # is none
    write_json(folder / "2-of-2" / "fold.json", {"train": "another"})
    with pytest.raises(InputError, match="trained with different settings"):
        audit_train(folder, train_path)
    write_json(folder / "1-of-2" / "fold.json", {"train": "another"})
    with pytest.raises(InputError, match="was trained on another"):
        audit_train(folder, train_path)
    (folder / "1-of-3").mkdir()
    with pytest.raises(InputError, match=r"found 1-of-2, 1-of-3, 2-of-2\. Remove what"):
        audit_train(folder, train_path)
    (folder / "1-of-3").rmdir()
    (folder / "2-of-2" / "fold.json").unlink()
    with pytest.raises(InputError, match="not complete"):
        audit_train(folder, train_path)


def test_corrected_annotation_is_found_beside_the_files_or_under_ner_corpora(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = CORPORA["conll2003"]
    assert find_corrected(corpus, tmp_path) is None
    provided = tmp_path / "provided" / "conll2003" / "conllpp_test.txt"
    provided.parent.mkdir(parents=True)
    provided.touch()
    monkeypatch.setenv("NER_CORPORA", str(tmp_path / "provided"))
    assert find_corrected(corpus, tmp_path) == provided
    own = tmp_path / "conll2003" / "conllpp_test.txt"
    own.parent.mkdir()
    own.touch()
    assert find_corrected(corpus, tmp_path) == own
    assert find_corrected(CORPORA["gmb"], tmp_path) is None
