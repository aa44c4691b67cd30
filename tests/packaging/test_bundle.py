"""The bundle: its contents arrive on a machine without a network, part by part."""

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
from bert_ner.packaging.bundle import BundlePlan, copy_encoder, cut, write_bundle
from bert_ner.packaging.bundle_run import create
from bert_ner.packaging.wheels import download, needed_packages
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
    monkeypatch.setattr("bert_ner.packaging.bundle.download", lambda *_: None)
    write_bundle(plan(tmp_path / "mine", encoder, part_bytes=200_000), tmp_path / "bundle")
    return tmp_path / "bundle"


def plan(corpus: Path, encoder: Path, **changes: Any) -> BundlePlan:
    settings: dict[str, Any] = {
        "root": ROOT,
        "corpus": corpus,
        "encoder": Encoder(name="tiny", path=encoder, reason="", licence="MIT"),
        "half": True,
        "python": HERE,
        "platforms": ["manylinux_2_28_x86_64"],
        "part_bytes": 2**30,
    }
    return BundlePlan(**{**settings, **changes})


def run(
    made: Path, home: Path, *command: str, python: str = sys.executable
) -> "subprocess.CompletedProcess[str]":
    # this environment plays the other machine's Python, with PyTorch
    environment = {**os.environ, "BUNDLE_HOME": str(home), "PYTHON": python}
    return subprocess.run(
        [str(made / "run.sh"), *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.slow
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
    assert f"1 of {len(parts)} parts have arrived; the next missing one is part-002" in first.stdout
    assert run(made, home, "true").returncode == 1  # cannot run yet
    parts[0].unlink()  # has arrived and is not needed again
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


@pytest.mark.slow
def test_an_unsuitable_python_is_explained_in_a_line(made: Path, tmp_path: Path) -> None:
    (made / "PYTHON").write_text("3.1\n")
    result = run(made, tmp_path / "home")
    assert result.returncode == 1
    assert f"is Python {HERE}, and the bundle is for 3.1. Name one: PYTHON=" in result.stderr
    (made / "PYTHON").write_text(HERE)
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False)  # a Python without PyTorch
    result = run(made, tmp_path / "home", python=str(bare / "bin" / "python"))
    assert result.returncode == 1
    assert "cannot import torch, which a bundle does not contain" in result.stderr
    (made / "SHA256SUMS").unlink()
    result = run(made, tmp_path / "home")
    assert f"error: {made}/SHA256SUMS: not found." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_machine_without_ensurepip_shares_its_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    version = subprocess.check_output([python, "-m", "pip", "--version"], text=True)
    assert str(tmp_path) not in version  # the pip of this Python


@pytest.mark.parametrize("python", ["3.12.3", "3", "python3.12", "3.12\n"])
def test_an_impossible_version_of_python_is_refused(
    python: str, encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"expected two numbers, such as 3\.12"):
        write_bundle(plan(tmp_path, encoder, python=python), tmp_path / "bundle")


def test_a_damaged_part_is_refused(made: Path, tmp_path: Path) -> None:
    part = made / "part-002"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    result = run(made, tmp_path / "home")
    assert result.returncode == 1
    assert "part-002: expected SHA-256" in result.stderr
    assert "Traceback" not in result.stderr


def test_float16_halves_the_encoder(encoder: Path, tmp_path: Path) -> None:
    for half in (False, True):
        source = Encoder(
            name="tiny", path=encoder, reason="", licence="MIT", url="https://example.org"
        )
        copy_encoder(source, tmp_path / str(half), half=half)
    whole, small = (tmp_path / str(half) / "model.safetensors" for half in (False, True))
    assert small.stat().st_size < 0.7 * whole.stat().st_size
    weights = safetensors.torch.load_file(small)
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {
        torch.float16
    }
    assert (tmp_path / "True" / "config.json").exists()
    copied = resolve(str(tmp_path / "True"), gpu=False)
    assert (copied.name, copied.licence, copied.url) == ("tiny", "MIT", "https://example.org")


def test_packages_of_the_project_without_pytorch() -> None:
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
        write_bundle(plan(tmp_path, encoder), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_cutting_keeps_every_byte(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(10)))
    names = cut(tmp_path / "file", tmp_path, 4)
    assert names == ["part-001", "part-002", "part-003"]
    assert b"".join((tmp_path / name).read_bytes() for name in names) == bytes(range(10))
