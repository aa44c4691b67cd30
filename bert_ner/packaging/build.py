"""A trained pipeline as a wheel that needs neither this project nor a model hub."""

import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version as installed_version
from pathlib import Path

from jinja2 import UndefinedError
from packaging.version import VERSION_PATTERN
from spacy.cli.package import package as spacy_package
from thinc.api import Config

from ..errors import InputError
from ..evaluation.records import Metrics, read_metrics
from ..files import read_json, replacing, require, write_json
from ..loading import load_pipeline
from .model_card import model_card
from .records import Meta, Performance

PIPES = Path(__file__).parents[1] / "pipes"  # its files are copied into the package


def package(model: Path, metrics: Path, output: Path, *, version: str) -> Path:
    """Build the wheel of a trained pipeline.

    model (Path): The trained pipeline.
    metrics (Path): The JSON file with its scores, which go into meta.json and the model card.
    output (Path): The package's folder. It appears complete or not at all.
    version (str): The version of the package.
    RETURNS (Path): The wheel, in the folder dist/ of the output.
    RAISES (InputError): If the pipeline or its scores are missing or do not belong together,
        or the output folder holds something else.
    """
    require(model / "meta.json", metrics)
    if output.is_dir() and any(output.iterdir()) and not (output / "meta.json").exists():
        raise InputError(
            f"{output}: is not a package and would be replaced. Name another folder, such as "
            f"{output / 'NAME'}."
        )
    if not re.fullmatch(VERSION_PATTERN, version, re.VERBOSE | re.IGNORECASE):
        raise InputError(f'version "{version}": expected one such as 0.1.0 or 1.2.0rc1.')
    scores, pipeline_meta = read_metrics(metrics), read_json(model / "meta.json")
    name = f"{pipeline_meta.get('lang')}_{pipeline_meta.get('name')}"
    if (scores.get("pipeline"), scores.get("training")) != (name, pipeline_meta.get("training")):
        raise InputError(f"{metrics}: not the scores of {model}. Evaluate it again.")
    try:
        meta = packaged_meta(pipeline_meta, scores, version)
        card = model_card(meta, scores, Config().from_disk(model / "config.cfg", interpolate=False))
    except (KeyError, TypeError, UndefinedError) as error:
        raise InputError(
            f"{metrics} or {model}: incomplete ({error}). Train and evaluate again."
        ) from error
    load_pipeline(model)  # one clear line if it does not load
    with tempfile.TemporaryDirectory() as folder, replacing(output) as partial:
        built = _write_source(model, meta, card, Path(folder))
        _build_wheel(built)
        shutil.copytree(built, partial, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    return next((output / "dist").glob("*.whl"))


def packaged_meta(meta: Meta, metrics: Metrics, version: str) -> Meta:
    """The meta.json of the package: its requirements, and its scores on test.

    meta (Meta): The trained pipeline's meta.json.
    metrics (Metrics): The contents of the JSON file with its scores.
    version (str): The version of the package.
    RETURNS (Meta): The meta.json of the package.
    """
    test, source = metrics["scores"]["test"], metrics["source"]
    performance: Performance = {
        "ents_p": test["precision"],
        "ents_r": test["recall"],
        "ents_f": test["f1"],
        "ents_per_type": {
            label: {
                "p": label_scores["precision"],
                "r": label_scores["recall"],
                "f": label_scores["f1"],
            }
            for label, label_scores in test["labels"].items()
        },
        "speed": test["words_per_second"],
    }
    return {
        **meta,
        "version": version,
        "requirements": [
            *(_from_this_minor(name) for name in ("spacy", "spacy-transformers")),
            "torch>=2.10,<3",
            *meta.get("needs", []),
        ],
        "performance": performance,
        "notes": f"Strict entity scores on the test split of: {source['title']}, "
        f"from {source['where']}. {metrics['machine']}, {metrics['date']}.",
    }


def _from_this_minor(name: str) -> str:
    """A requirement from the installed version up to the next minor one."""
    installed = installed_version(name)
    major, minor = (int(part) for part in installed.split(".")[:2])
    return f"{name}>={installed},<{major}.{minor + 1}"


def _write_source(model: Path, meta: Meta, card: str, folder: Path) -> Path:
    """Write the source of the package; returns its folder."""
    name = f"{meta['lang']}_{meta['name']}"
    full_name = f"{name}-{meta['version']}"
    meta_path = folder / "meta.json"
    write_json(meta_path, meta)
    spacy_package(model, folder, meta_path=meta_path, create_sdist=False, create_wheel=False)
    built = folder / full_name
    # spaCy adds a requirement for each package that a registered function comes from. That
    # includes this project, whose code is in the wheel.
    write_json(built / "meta.json", meta)
    for place in (built, built / name / full_name):
        (place / "README.md").write_text(card, encoding="utf-8")
    _add_code(built / name)
    return built


def _add_code(package: Path) -> None:
    """Copy the pipes into a package, and import them where it is loaded.

    They import each other relatively: the same file is `bert_ner.pipes.crf` here and
    `en_bert_ner.crf` in the wheel. `spacy package --code` would import each file on its own.
    """
    for path in PIPES.glob("*.py"):
        if path.stem != "__init__":
            shutil.copy(path, package)
    init = package / "__init__.py"
    code = init.read_text(encoding="utf-8").rstrip()
    init.write_text(f"{code}\n\nfrom . import register  # noqa: E402, F401\n", encoding="utf-8")


def _build_wheel(folder: Path) -> None:
    """Build without isolation: an isolated build asks a registry for setuptools."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"building the wheel failed: {(result.stderr or result.stdout).strip()}")
