from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.training.papers import get_paper, read_papers
from tests.conftest import ROOT

PAPER = """
[a]
title = "A"
about = []
corpus = "gmb"
base = "{base}"
encoder = "bert-base-cased"

[[a.reported]]
about = "b"
split = "{split}"
figures = {{ {metric} = 1 }}
"""


def write(folder: Path, *, base: str = "config", split: str = "dev", metric: str = "f1") -> Path:
    path = folder / "papers.toml"
    path.write_text(PAPER.format(base=base, split=split, metric=metric))
    return path


def test_a_paper_is_read(tmp_path: Path) -> None:
    paper = get_paper("a", write(tmp_path, metric="f1_geo"))
    assert paper.reported[0].figures == {"f1_geo": 1}
    assert not paper.overrides


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("papers = [", "not valid TOML"),
        ("[a]\ntitle = 'a'", r"a\.about: Field required"),
        (PAPER.format(base="config", split="train", metric="f1"), "split: .* 'dev' or 'test'"),
        (PAPER.format(base="config", split="dev", metric="bleu"), "bleu is not measured"),
        (PAPER.format(base="best", split="dev", metric="f1"), "'config', 'pos' or 'transition'"),
    ],
)
def test_errors_in_the_file_are_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "papers.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_papers(tmp_path / "papers.toml")


def test_an_unknown_paper_lists_the_papers() -> None:
    with pytest.raises(InputError, match="expected one of conll2003_bert_base, conll2003_bert_lar"):
        get_paper("bert", ROOT / "configs" / "papers.toml")
