"""The bundle: what goes in comes out on a machine without a network, part by part."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from bert_ner.errors import InputError
from bert_ner.packaging import bundle as module
from bert_ner.packaging.bundle import bundle, copy_encoder, cut, download, needed_packages
from bert_ner.packaging.bundle_run import create
from bert_ner.training.encoders import Encoder, resolve
from tests.conftest import ROOT

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def made(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in small parts, without wheels: here they are installed."""
    corpus = tmp_path / "mine" / "conll2003"
    corpus.mkdir(parents=True)
    (corpus / "train.spacy").write_bytes(b"a split")
    (corpus / "source.json").write_text("{}")
    monkeypatch.setattr(module, "download", lambda *_: None)
    bundle(
        root=ROOT,
        output=tmp_path / "bundle",
        corpus=tmp_path / "mine",
        encoder=Encoder(name="tiny", path=encoder, why="", licence="MIT"),
        half=True,
        python=HERE,
        platforms=["manylinux_2_28_x86_64"],
        part_bytes=200_000,
    )
    return tmp_path / "bundle"


def run(
    made: Path, home: Path, *command: str, python: str = sys.executable
) -> "subprocess.CompletedProcess[str]":
    # this environment stands for the other machine's Python, with PyTorch and all
    environment = {**os.environ, "BUNDLE_HOME": str(home), "PYTHON": python}
    return subprocess.run(
        [str(made / "run.sh"), *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_parts_arrive_one_by_one_and_then_a_command_runs(made: Path, tmp_path: Path) -> None:
    parts = sorted(made.glob("part-*"))
    assert len(parts) > 3
    assert all(part.stat().st_size <= 200_000 for part in parts)
    away = tmp_path / "away"
    away.mkdir()
    home = tmp_path / "home"
    for part in parts[1:]:
        part.rename(away / part.name)
    first = run(made, home)
    assert first.returncode == 0, first.stderr
    assert f"1 of {len(parts)} parts are here; the next one missing is part-002" in first.stdout
    assert run(made, home, "true").returncode == 1  # cannot run yet
    parts[0].unlink()  # has arrived, and need not come again
    for part in parts[1:]:
        (away / part.name).rename(part)
    program = "from pathlib import Path; import bert_ner.pipes.windows as w; print(w.__file__); "
    program += "print(Path('corpus/conll2003/train.spacy').read_text(), Path('encoder').is_dir())"
    done = run(made, home, "python", "-c", program)
    assert done.returncode == 0, done.stdout + done.stderr
    place, found = done.stdout.splitlines()[-2:]
    assert place.startswith(str(home))
    assert found == "a split True"
    again = run(made, home, "python", "-c", "raise SystemExit(7)")
    assert again.returncode == 7  # the command's own
    mistyped = run(made, home, "pyhton")
    assert (mistyped.returncode, mistyped.stderr) == (1, "error: pyhton: no such command.\n")


def test_what_cannot_run_there_is_said_in_a_line(made: Path, tmp_path: Path) -> None:
    (made / "PYTHON").write_text("3.1\n")
    result = run(made, tmp_path / "home")
    assert result.returncode == 1
    assert f"is Python {HERE}, and the bundle is for 3.1. Name one: PYTHON=" in result.stderr
    (made / "PYTHON").write_text(HERE)
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False)  # a Python without PyTorch
    result = run(made, tmp_path / "home", python=str(bare / "bin" / "python"))
    assert result.returncode == 1
    assert "cannot import torch, which a bundle does not bring" in result.stderr
    (made / "SHA256SUMS").unlink()
    result = run(made, tmp_path / "home")
    assert f"error: {made}/SHA256SUMS: not here yet." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_machine_without_ensurepip_lends_its_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    said = subprocess.check_output([python, "-m", "pip", "--version"], text=True)
    assert str(tmp_path) not in said  # that of the Python that runs this


@pytest.mark.parametrize("python", ["3.12.3", "3", "python3.12", "3.12\n"])
def test_a_version_that_no_python_has_is_refused(
    python: str, encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"expected two numbers, such as 3\.12"):
        bundle(
            root=Path(),
            output=tmp_path / "bundle",
            corpus=tmp_path,
            encoder=Encoder(name="tiny", path=encoder, why=""),
            half=False,
            python=python,
            platforms=[],
            part_bytes=1,
        )


def test_a_part_that_was_changed_on_the_way_is_refused(made: Path, tmp_path: Path) -> None:
    part = made / "part-002"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    result = run(made, tmp_path / "home")
    assert result.returncode == 1
    assert "part-002: expected SHA-256" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_encoder_travels_in_half_the_bytes(encoder: Path, tmp_path: Path) -> None:
    for half in (False, True):
        source = Encoder(
            name="tiny", path=encoder, why="", licence="MIT", url="https://example.org"
        )
        copy_encoder(source, tmp_path / str(half), half=half)
    whole, small = (tmp_path / str(half) / "model.safetensors" for half in (False, True))
    assert small.stat().st_size < 0.7 * whole.stat().st_size
    weights = safetensors.torch.load_file(small)
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {
        torch.float16
    }
    assert (tmp_path / "True" / "config.json").exists()
    there = resolve(str(tmp_path / "True"), gpu=False)
    assert (there.name, there.licence, there.url) == ("tiny", "MIT", "https://example.org")


def test_packages_are_those_of_the_project_without_pytorch() -> None:
    found = needed_packages("3.12")
    assert {"spacy", "spacy-transformers", "thinc", "numpy", "setuptools"} <= set(found)
    left_out = ("torch", "cupy", "nvidia", "pytest", "datasets", "gt-all", "pyarrow")
    assert not [name for name in found if name.startswith(left_out)]
    assert found["spacy"] == __import__("spacy").__version__


def test_a_package_without_a_wheel_and_a_missing_corpus_are_named(
    tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], 1, "", "looking\nERROR: No matching distribution\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(InputError, match=r"x 1\.0: no wheel for Python 3\.12 on a: ERROR: No mat"):
        download({"x": "1.0"}, "3.12", ["a"], tmp_path)
    with pytest.raises(InputError, match="no converted corpus there"):
        bundle(
            root=ROOT,
            output=tmp_path / "bundle",
            corpus=tmp_path,
            encoder=Encoder(name="tiny", path=encoder, why=""),
            half=False,
            python="3.12",
            platforms=[],
            part_bytes=1,
        )
    assert not (tmp_path / "bundle").exists()


def test_cutting_keeps_every_byte(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(10)))
    names = cut(tmp_path / "file", tmp_path, 4)
    assert names == ["part-001", "part-002", "part-003"]
    assert b"".join((tmp_path / name).read_bytes() for name in names) == bytes(range(10))
