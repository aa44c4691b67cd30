"""Every mistake ends in one line and exit code 1, without a traceback."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers import fails


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A converted corpus whose files are all broken."""
    folder = tmp_path / "corpus" / "conll2003"
    folder.mkdir(parents=True)
    for name in ("train.spacy", "dev.spacy", "test.spacy", "source.json"):
        (folder / name).write_bytes(b"\x00nothing")
    return folder


@pytest.mark.parametrize("kind", ["train.txt/", "conll2003"])
def test_fetch_and_convert_with_folders_for_files(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if kind.endswith("/"):
        (tmp_path / "conll2003" / "train.txt").mkdir(parents=True)
    else:
        (tmp_path / "conll2003").write_text("a file")
    for name in ("fetch", "convert"):
        line = fails(monkeypatch, capsys, name, "conll2003", "--assets", tmp_path)
        assert str(tmp_path / "conll2003") in line


def test_own_corpus_whose_description_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own" / "corpus.toml").mkdir(parents=True)
    assert "corpus.toml" in fails(monkeypatch, capsys, "fetch", "own", "--assets", tmp_path)


@pytest.mark.parametrize("source", ["{}", "[1]", '{"kind": "user", "x": 1}', "nothing"])
def test_train_on_a_broken_source(
    source: str,
    data: Path,
    tmp_path: Path,
    encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (data / "source.json").write_text(source)
    line = fails(
        monkeypatch,
        capsys,
        "train",
        "conll2003",
        "--data",
        data.parent,
        "--encoder",
        encoder,
        "--output",
        tmp_path / "training",
    )
    assert "source.json" in line
    assert not (tmp_path / "training" / "config" / "conll2003").exists()


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (b"", "bad.cfg"),
        (b"\xff\xfe\x00", "bad.cfg"),
        (b"[nlp\n", "bad.cfg"),
        (b"GOOD", "the recipe cannot read it"),  # the corpus is broken
    ],
)
def test_train_with_a_broken_recipe(
    recipe: bytes,
    message: str,
    data: Path,
    tmp_path: Path,
    encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (data / "source.json").write_text(
        '{"corpus": "c", "title": "t", "kind": "user", "where": "w", "licence": "l", "url": "u",'
        ' "files": {}}'
    )
    config = tmp_path / "bad.cfg"
    config.write_bytes(
        (ROOT / "configs" / "config.cfg").read_bytes() if recipe == b"GOOD" else recipe
    )
    line = fails(
        monkeypatch,
        capsys,
        "train",
        "conll2003",
        "--data",
        data.parent,
        "--encoder",
        encoder,
        "--config",
        config,
        "--output",
        tmp_path / "training",
    )
    assert message in line


def test_calibrate_and_threshold_without_a_pipeline(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, output = tmp_path / "model", tmp_path / "output"
    line = fails(monkeypatch, capsys, "calibrate", model, data, "--output", output)
    assert "meta.json: not found. Run the steps before this one first." in line
    model.mkdir()
    (model / "meta.json").write_text("{}")
    for name in ("calibrate", "threshold"):
        line = fails(monkeypatch, capsys, name, model, data, "--output", output)
        assert "not a pipeline" in line
    assert not output.exists()


def test_threshold_on_a_broken_split(
    data: Path, ruler: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(monkeypatch, capsys, "threshold", ruler, data)
    assert "dev.spacy: not a converted split" in line


def test_commands_on_what_is_no_pipeline(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    output = tmp_path / "out.json"
    assert "not found" in fails(monkeypatch, capsys, "evaluate", model, data, "--output", output)
    model.mkdir()
    (model / "meta.json").write_text("{}")
    assert "not a pipeline" in fails(
        monkeypatch, capsys, "evaluate", model, data, "--output", output
    )
    (tmp_path / "metrics.json").write_text("{}")
    package: list[str | Path] = [
        "package",
        model,
        "--metrics",
        tmp_path / "metrics.json",
        "--output",
        tmp_path / "p",
    ]
    assert "expected metrics of schema 1, found None" in fails(monkeypatch, capsys, *package)
    (tmp_path / "metrics.json").write_text('{"schema": 1}')
    assert "not the scores" in fails(monkeypatch, capsys, *package)
    assert "expected one such as 0.1.0" in fails(monkeypatch, capsys, *package, "--version", "new")
    assert "no wheel there" in fails(
        monkeypatch, capsys, "check", model, data, "--metrics", output, "--output", output
    )
    (tmp_path / "sentences.txt").write_text("[Oslo|LOC] shines.\n")
    assert "not a pipeline" in fails(
        monkeypatch, capsys, "examples", "nix", tmp_path / "sentences.txt", "--output", output
    )
    assert not output.exists()
