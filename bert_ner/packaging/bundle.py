"""A bundle: project, corpora, encoder and wheels in parts, for a machine without a network."""

import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch

from ..errors import InputError
from ..files import replacing, sha256, write_json
from ..training.encoders import ABOUT_FILE, Encoder
from .wheels import download, needed_packages

FILES = ("project.yml", "pyproject.toml", "README.md", "LICENSE", "Makefile", "constraints.txt")
FOLDERS = ("bert_ner", "configs", "scripts", "constraints", "tests", "docs")
ENCODER_FILES = ("*.json", "*.txt", "*.safetensors")
PART = "part-{:03}"
RUNNER = Path(__file__).parent / "bundle_run.py"
SHELL = '#!/usr/bin/env bash\nexec "${PYTHON:-python3}" "$(dirname "$0")/run.py" "$@"\n'


@dataclass(frozen=True, kw_only=True)
class BundlePlan:
    """The contents of a bundle, and the machine that it is for.

    root (Path): The project.
    corpus (Path): The folder of converted corpora.
    encoder (Encoder): The encoder.
    half (bool): Whether its weights are stored as float16.
    python (str): The version of Python on that machine, such as 3.12.
    platforms (list[str]): The platform tags of that machine.
    part_bytes (int): Maximum size of a part, in bytes.
    """

    root: Path
    corpus: Path
    encoder: Encoder
    half: bool
    python: str
    platforms: list[str]
    part_bytes: int


@dataclass(frozen=True)
class Bundle:
    """A written bundle.

    parts (list[str]): The names of its parts.
    size (int): Their total size, in bytes.
    digest (str): The start of the SHA-256 of its checksums, which names it.
    example (str): The name of a corpus in it.
    """

    parts: list[str]
    size: int
    digest: str
    example: str


def write_bundle(plan: BundlePlan, output: Path) -> Bundle:
    """Write a bundle: parts, their SHA-256 sums, the version of Python, run.sh and run.py.

    plan (BundlePlan): Its contents.
    output (Path): The output folder. It appears complete or not at all.
    RETURNS (Bundle): The bundle.
    RAISES (InputError): If a corpus or a wheel is unavailable, or the version of Python is invalid.
    """
    if not re.fullmatch(r"3\.\d+", plan.python):
        raise InputError(f"--python {plan.python}: expected two numbers, such as 3.12.")
    corpora = sorted(path.parent.name for path in plan.corpus.glob("*/train.spacy"))
    if not corpora:
        raise InputError(f"{plan.corpus}: no converted corpus there. Run make corpus first.")
    with tempfile.TemporaryDirectory() as name, replacing(output) as partial:
        partial.mkdir()
        archive = _write_archive(plan, Path(name))
        parts = cut(archive, partial, plan.part_bytes)
        sums = [f"{sha256(partial / part)}  {part}\n" for part in parts]
        (partial / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        (partial / "PYTHON").write_text(f"{plan.python}\n", encoding="utf-8")
        shutil.copyfile(RUNNER, partial / "run.py")
        (partial / "run.sh").write_text(SHELL, encoding="utf-8")
        (partial / "run.sh").chmod(0o755)
    return Bundle(
        parts=parts,
        size=sum((output / part).stat().st_size for part in parts),
        digest=sha256(output / "SHA256SUMS")[:12],
        example=corpora[0],
    )


def _write_archive(plan: BundlePlan, work: Path) -> Path:
    """Collect everything in one tar file in a working folder."""
    (work / "wheels").mkdir()
    download(needed_packages(plan.python), plan.python, plan.platforms, work / "wheels")
    copy_encoder(plan.encoder, work / "encoder", half=plan.half)
    splits = sorted(plan.corpus.glob("*/*.spacy")) + sorted(plan.corpus.glob("*/*.json"))
    with tarfile.open(work / "all.tar", "w") as tar:
        for path in _project_files(plan.root):
            tar.add(path.resolve(), arcname=str("project" / path.relative_to(plan.root)))
        for path in splits:
            tar.add(path.resolve(), arcname=str("project/corpus" / path.relative_to(plan.corpus)))
        tar.add(work / "encoder", arcname="project/encoder")
        tar.add(work / "wheels", arcname="wheels")
    return work / "all.tar"


def _project_files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FILES)
    for name in FOLDERS:
        yield from (
            path
            for path in sorted((root / name).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        )


def copy_encoder(source: Encoder, target: Path, *, half: bool) -> None:
    """Copy an encoder with its name and licence, optionally with float16 weights.

    source (Encoder): The encoder.
    target (Path): The folder to make.
    half (bool): Whether to store the weights as float16.
    """
    target.mkdir(parents=True)
    for pattern in ENCODER_FILES:
        for path in source.path.glob(pattern):
            shutil.copyfile(path, target / path.name)
    write_json(target / ABOUT_FILE, source.about())
    if half:
        weights = target / "model.safetensors"
        state = safetensors.torch.load_file(weights)
        small = {k: v.half() if v.dtype == torch.float32 else v for k, v in state.items()}
        safetensors.torch.save_file(small, weights, metadata={"format": "pt"})


def cut(file: Path, folder: Path, size: int) -> list[str]:
    """Cut a file into parts.

    file (Path): The file.
    folder (Path): The output folder.
    size (int): Maximum size of a part, in bytes.
    RETURNS (list[str]): The names of the parts, in order.
    """
    names: list[str] = []
    with file.open("rb") as stream:
        while content := stream.read(size):
            names.append(PART.format(len(names) + 1))
            (folder / names[-1]).write_bytes(content)
    return names
