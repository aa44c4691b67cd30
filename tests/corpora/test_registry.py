import subprocess
import sys
from pathlib import Path

import pytest

from bert_ner.corpora.registry import CORPORA, get_corpus
from bert_ner.errors import InputError
from tests.conftest import ROOT


def test_each_corpus_is_listed_by_its_name() -> None:
    assert list(CORPORA) == ["conll2003", "mit_movie", "mit_trivia", "gmb"]
    for name, corpus in CORPORA.items():
        assert get_corpus(name) is corpus
        assert corpus.name == name
        assert {"train", "dev", "test"} <= {*corpus.files, *corpus.shares, *corpus.optional}


@pytest.mark.parametrize("name", ["news", "CONLL2003", "", "../own", "a\x1b\n"])
def test_unknown_name_lists_the_corpora(name: str) -> None:
    expected = "expected one of conll2003, mit_movie, mit_trivia, gmb, own."
    with pytest.raises(InputError) as caught:
        get_corpus(name)
    assert str(caught.value).endswith(f'": {expected}')
    assert str(caught.value).isprintable()


def test_own_corpus_is_read_from_the_assets(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "corpus.toml").write_text('train = "a.txt"\ntitle = "Ship logs"')
    corpus = get_corpus("own", tmp_path)
    assert (corpus.name, corpus.title) == ("own", "Ship logs")
    assert corpus.described_in == tmp_path / "own" / "corpus.toml"


def test_looking_up_a_corpus_imports_nothing_slow() -> None:
    code = (
        "import sys; from bert_ner.corpora.registry import get_corpus; get_corpus('gmb');"
        "slow = {'datasets', 'faker', 'numpy', 'pydantic', 'spacy', 'torch'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert result.stdout.strip() == "[]"
