"""Audits by a pipeline that has learned three sentences, of a split with one wrong label."""

import json
from pathlib import Path

import pytest
import spacy

from bert_ner.corpora.registry import CORPORA
from bert_ner.errors import InputError
from bert_ner.evaluation.records import Judgement
from bert_ner.experiments.audit import audit, audit_corpus, audit_train, find_corrected
from bert_ner.files import write_json
from tests.experiments.helpers import WRONG, write_folds, write_split
from tests.pipes.training import SENTENCES

CORPUS = CORPORA["conll2003"]
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


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A converted corpus whose dev and test have one wrong label."""
    for split in ("dev", "test"):
        path = tmp_path / "corpus" / f"{split}.spacy"
        write_split(spacy.blank("en"), path, [SENTENCES[2], WRONG])
    return tmp_path / "corpus"


@pytest.fixture
def corrected(tmp_path: Path) -> Path:
    path = tmp_path / "corrected.txt"
    path.write_text(CORRECTED)
    return path


@pytest.fixture
def folds(trained: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two folds, and a train split whose third document has a wrong label."""
    train = tmp_path / "corpus" / "train.spacy"
    sentences = [SENTENCES[0], SENTENCES[1], WRONG, SENTENCES[2]]
    write_split(spacy.blank("en"), train, sentences)
    write_folds(tmp_path / "folds", trained, train)
    return tmp_path / "folds", train


def run(
    pipeline: Path, data: Path, folder: Path, split: str, corrected: Path | None = None
) -> Judgement | None:
    return audit_corpus(
        CORPUS,
        pipeline,
        data,
        split=split,
        output=folder / "audit.jsonl",
        page=folder / "audit.html",
        corrected=corrected,
    )


def test_a_wrong_label_is_ranked_first_and_judged(
    trained: Path, data: Path, corrected: Path, tmp_path: Path
) -> None:
    judgement = run(trained, data, tmp_path, "test", corrected)
    output = tmp_path / "audit.jsonl"
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert (rows[0]["document"], rows[0]["token"]) == (1, 4)
    assert rows[0]["gold"] == [[0, 2, "PER"], [4, 5, "ORG"]]
    assert [mention[:3] for mention in rows[0]["predicted"]] == [[0, 2, "PER"], [4, 5, "LOC"]]
    assert rows[0]["doubt"] > rows[1]["doubt"] >= 0
    assert "Oslo" not in output.read_text()
    assert "“Oslo”" in (tmp_path / "audit.html").read_text()
    assert judgement is not None
    assert judgement["changed_sentences"] == 1
    assert judgement["ranking"] == [{"sentences": 1, "precision": 1.0, "recall": 1.0}]
    assert judgement["f1"] == {"original": 0.5, "corrected": 1.0}
    record = json.loads((tmp_path / "audit.judged.json").read_text())
    assert record == {**record, **judgement, "pipeline": "en_pipeline"}
    # the judgement of an earlier run is removed
    assert run(trained, data, tmp_path, "dev") is None
    assert not (tmp_path / "audit.judged.json").exists()


def test_a_label_that_the_pipeline_does_not_know_is_named(trained: Path, tmp_path: Path) -> None:
    nlp = spacy.load(trained)
    write_split(nlp, tmp_path / "new.spacy", [(["Oslo"], [(0, 1, "GPE")])])
    with pytest.raises(InputError, match="has the label GPE, which the pipeline was not trained"):
        audit(nlp, tmp_path / "new.spacy")


def test_a_corrected_file_with_other_words_is_refused(
    trained: Path, data: Path, corrected: Path, tmp_path: Path
) -> None:
    for text in (CORRECTED.replace("Oslo", "Lima"), CORRECTED.split("-DOCSTART-")[1]):
        corrected.write_text(text if text.startswith("-DOC") else f"-DOCSTART-{text}")
        with pytest.raises(InputError, match="expected the words of the split"):
            run(trained, data, tmp_path, "test", corrected)
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_pipeline_without_probabilities_and_an_unknown_split_are_refused(tmp_path: Path) -> None:
    write_split(spacy.blank("en"), tmp_path / "test.spacy", [WRONG])
    with pytest.raises(InputError, match="gives no probabilities"):
        audit(spacy.blank("en"), tmp_path / "test.spacy")
    with pytest.raises(InputError, match="--split all: expected train, dev or test"):
        run(tmp_path, tmp_path, tmp_path, "all")


def test_each_document_of_train_is_judged_by_the_fold_that_has_not_seen_it(
    folds: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load_pipeline(path: Path) -> spacy.Language:
        loaded.append(path.parent.name)
        return spacy.load(path)

    monkeypatch.setattr("bert_ner.experiments.audit.load_pipeline", load_pipeline)
    audited = audit_train(*folds)
    assert loaded == ["1-of-2", "2-of-2"]
    assert [document.words[0] for document in audited.documents] == ["Anna", "The", "Anna", "rain"]
    assert (audited.suspects[0].document, audited.suspects[0].token) == (2, 4)
    run(folds[0], folds[1].parent, tmp_path, "train")
    rows = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert rows[0]["document"] == 2
    assert sorted(row["document"] for row in rows) == [0, 1, 2, 3]


def test_folds_of_another_train_split_are_refused(folds: tuple[Path, Path]) -> None:
    folder, train = folds
    for number in (1, 2):
        write_json(folder / f"{number}-of-2" / "fold.json", {"train": "another"})
    with pytest.raises(InputError, match="was trained on another"):
        audit_train(folder, train)


def test_corrected_annotation_is_found_with_the_files_or_under_ner_corpora(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_corrected(CORPUS, tmp_path) is None
    provided = tmp_path / "provided" / "conll2003" / "conllpp_test.txt"
    provided.parent.mkdir(parents=True)
    provided.touch()
    monkeypatch.setenv("NER_CORPORA", str(tmp_path / "provided"))
    assert find_corrected(CORPUS, tmp_path) == provided
    own = tmp_path / "conll2003" / "conllpp_test.txt"
    own.parent.mkdir()
    own.touch()
    assert find_corrected(CORPUS, tmp_path) == own
    assert find_corrected(CORPORA["gmb"], tmp_path) is None
