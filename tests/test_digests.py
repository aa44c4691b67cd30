"""The code behind each command: what a change of a file reruns."""

from pathlib import Path

import pytest

from bert_ner.digests import code_of, write_digests
from tests.conftest import ROOT


def code(command: str) -> set[str]:
    files = code_of(ROOT / "scripts" / f"{command}.py", ROOT)
    return {str(path.relative_to(ROOT)) for path in files}


def test_code_of_real_commands() -> None:
    convert, train, evaluate = code("convert"), code("train"), code("evaluate")
    assert {
        "scripts/convert.py",
        "bert_ner/corpora/reader.py",
        "bert_ner/corpora/tags.py",
    } <= convert
    assert not any("pipes/" in name or "evaluation/" in name for name in convert)
    assert {"bert_ner/training/trainer.py", "bert_ner/pipes/crf.py"} <= train
    assert not any("evaluation/" in name or "/sample/" in name for name in train)
    assert {
        f"bert_ner/evaluation/{n}" for n in ("matching.py", "report.html", "base.html")
    } <= evaluate
    assert not any(name.endswith(".html") for name in code("calibrate"))
    # a change in one corpus must not rerun the steps of another
    assert not any(name.endswith("/gmb.py") for name in convert | train)
    movies = code_of(ROOT / "bert_ner" / "corpora" / "mit_movie.py", ROOT)
    assert ROOT / "bert_ner" / "corpora" / "mit.py" in movies


@pytest.mark.parametrize("command", ["train", "calibrate", "quantize", "evaluate", "package"])
def test_steps_that_load_or_package_a_pipeline_depend_on_its_code(command: str) -> None:
    pipes = {f"bert_ner/pipes/{path.name}" for path in (ROOT / "bert_ner/pipes").glob("*.py")}
    assert pipes <= code(command)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "scripts/count.py": "from bert_ner import cli\nfrom bert_ner.a.one import x\n",
        "bert_ner/a/one.py": "def f():\n    from . import two\n",
        "bert_ner/a/two.py": "from ..b.three import y\n",
        "bert_ner/b/three.py": "from ..a.one import x\nPAGE = 'page.html'\n",
        "bert_ner/b/page.html": "{% extends 'base.html' %}",
        "bert_ner/b/base.html": "<p>",
        "bert_ner/b/other.html": "<p>",
        "bert_ner/a/other.py": "",
        "bert_ner/cli.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "reruns"),
    [
        ("scripts/count.py", True),
        ("bert_ner/a/two.py", True),  # imported within a function
        ("bert_ner/b/three.py", True),
        ("bert_ner/b/page.html", True),
        ("bert_ner/b/base.html", True),  # which the page names
        ("bert_ner/b/other.html", False),
        ("bert_ner/a/other.py", False),
        ("bert_ner/cli.py", False),
    ],
)
def test_a_change_reruns_the_commands_that_it_reaches(
    root: Path, changed: str, reruns: bool
) -> None:
    digest = root / "code" / "count.sha256"
    write_digests(digest.parent, root)
    before, modified = digest.read_text(), digest.stat().st_mtime_ns
    write_digests(digest.parent, root)
    assert digest.stat().st_mtime_ns == modified
    (root / changed).write_text((root / changed).read_text() + "# changed\n")
    write_digests(digest.parent, root)
    assert (digest.read_text() != before) is reruns
