"""Package a trained pipeline as a wheel that needs neither this project nor a hub."""

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer
from jinja2 import UndefinedError
from packaging.version import VERSION_PATTERN
from spacy.cli.package import package as spacy_package
from thinc.api import Config

from ..errors import InputError
from ..evaluation.metrics import read_metrics
from ..files import read_json, replacing, write_json
from ..loading import load_pipeline
from .model_card import model_card

PIPES = Path(__file__).parents[1] / "pipes"  # its files are copied into the package


def package(model: Path, metrics: Path, output: Path, *, version: str) -> Path:
    """Build the wheel of a trained pipeline.

    model (Path): The trained pipeline.
    metrics (Path): The JSON file with its scores, which go into meta.json.
    output (Path): The folder of packages.
    version (str): The version of the package.
    RETURNS (Path): The wheel, at <output>/<name>-<version>/dist/.
    RAISES (InputError): If the pipeline or its scores are not there.
    """
    for path in (model / "meta.json", metrics):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    if not re.fullmatch(VERSION_PATTERN, version, re.VERBOSE | re.IGNORECASE):
        raise InputError(f'version "{version}": expected one such as 0.1.0 or 1.2.0rc1.')
    found, said = read_metrics(metrics), read_json(model / "meta.json")
    own = (f"{said.get('lang')}_{said.get('name')}", said.get("training"))
    if (found.get("pipeline"), found.get("training")) != own:
        raise InputError(f"{metrics}: not the scores of {model}. Report on it again.")
    try:
        meta = packaged_meta(said, found, version)
        card = model_card(meta, found, Config().from_disk(model / "config.cfg", interpolate=False))
    except (KeyError, TypeError, UndefinedError) as error:
        raise InputError(
            f"{metrics} or {model}: not complete ({error}). Train and report again."
        ) from error
    load_pipeline(model)  # says in one line what is wrong with it
    full_name = f"{meta['lang']}_{meta['name']}-{meta['version']}"
    with tempfile.TemporaryDirectory() as name, replacing(output / full_name) as partial:
        write_json(Path(name) / "meta.json", meta)
        spacy_package(
            model,
            Path(name),
            meta_path=Path(name) / "meta.json",
            create_sdist=False,
            create_wheel=False,
        )
        built = Path(name) / full_name
        _add_code(built / full_name.rsplit("-", 1)[0])
        # spaCy adds every package that a registered function comes from: also
        # this project, which the wheel does without.
        write_json(built / "meta.json", meta)
        for folder in (built, built / full_name.rsplit("-", 1)[0] / full_name):
            (folder / "README.md").write_text(card, encoding="utf-8")
        _build(built)
        shutil.copytree(built, partial, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    return next((output / full_name / "dist").glob("*.whl"))


def packaged_meta(meta: dict[str, Any], metrics: dict[str, Any], version: str) -> dict[str, Any]:
    """The meta.json of the package: what it needs, and its scores on test.

    meta (dict[str, Any]): The trained pipeline's meta.json.
    metrics (dict[str, Any]): The contents of the JSON file with its scores.
    version (str): The version of the package.
    RETURNS (dict[str, Any]): The meta.json of the package.
    """
    test = metrics["scores"]["test"]
    per_type = {
        label: {"p": v["precision"], "r": v["recall"], "f": v["f1"]}
        for label, v in test["labels"].items()
    }
    source = metrics["source"]
    return {
        **meta,
        "version": version,
        "requirements": [
            *(_from_this_minor(name) for name in ("spacy", "spacy-transformers")),
            "torch>=2.10,<3",
            *meta.get("needs", []),
        ],
        "performance": {
            "ents_p": test["precision"],
            "ents_r": test["recall"],
            "ents_f": test["f1"],
            "ents_per_type": per_type,
            "speed": test["words_per_second"],
        },
        "notes": f"Strict entity scores on the test split of: {source['title']}, "
        f"from {source['where']}. {metrics['machine']}, {metrics['date']}.",
    }


def _from_this_minor(name: str) -> str:
    """A requirement from the installed version up to the next minor one."""
    found = installed_version(name)
    major, minor = (int(part) for part in found.split(".")[:2])
    return f"{name}>={found},<{major}.{minor + 1}"


def _add_code(package: Path) -> None:
    """Copy the pipes into a package, and let it import them where it is loaded.

    They import each other relatively, so the same files are `bert_ner.pipes.crf` here and
    `en_bert_ner.crf` in the package. `spacy package --code` would import them one by one.
    """
    for path in PIPES.glob("*.py"):
        if path.stem != "__init__":
            shutil.copy(path, package)
    init = package / "__init__.py"
    code = init.read_text(encoding="utf-8")
    init.write_text(
        code.rstrip() + "\n\nfrom . import register  # noqa: E402, F401\n", encoding="utf-8"
    )


def _build(folder: Path) -> None:
    """Build without isolation: an isolated build asks a registry for setuptools."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"building the wheel failed: {(result.stderr or result.stdout).strip()}")


def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline.")],
    metrics: Annotated[Path, typer.Option(help="JSON file with its scores.")],
    output: Annotated[Path, typer.Option(help="Folder of packages.")] = Path("packages"),
    version: Annotated[str, typer.Option(help="Version of the package.")] = "0.1.0",
) -> None:
    """Package a trained pipeline as a wheel."""
    print(package(model, metrics, output, version=version))
