"""Checks a wheel without a network, isolated from this project."""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..errors import InputError
from ..files import read_json, sha256, write_json
from .model_card import EXAMPLE
from .records import WheelCheck

PROJECT = ("en_bert", "__editable__")  # prefixes of the project's own entries in site-packages
TOLERANCE = 2e-3  # of F1: a GPU in half precision and a CPU differ in a few mentions

# Runs with only the wheel and its dependencies on the path.
PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import spacy
from spacy.training import Corpus
nlp = spacy.load(sys.argv[3])
entities = [(ent.text, ent.label_) for ent in nlp(sys.argv[4]).ents]
scores = nlp.evaluate(list(Corpus(sys.argv[5])(nlp)))
code = sorted(m for m in sys.modules if m.split(".")[0] in ("bert_ner", "scripts", sys.argv[3]))
print(json.dumps({"entities": entities, "f1": scores["ents_f"] or 0.0, "code": code}))
"""


@dataclass(frozen=True)
class CheckedWheel:
    """A wheel that scores as measured before packaging."""

    wheel: Path
    result: WheelCheck


def check_package(package: Path, data: Path, metrics: Path, output: Path) -> CheckedWheel:
    """Check a package's wheel and write the record of it.

    package (Path): The package's folder, with the wheel in dist/.
    data (Path): The folder of the converted corpus.
    metrics (Path): The JSON file with the pipeline's scores.
    output (Path): The JSON file to write.
    RETURNS (CheckedWheel): The wheel and its result.
    RAISES (InputError): If there is no wheel, or it scores differently.
    """
    wheels = list((package / "dist").glob("*.whl"))
    if not wheels:
        raise InputError(f"{package}/dist: no wheel there. Run the package step first.")
    meta = read_json(package / "meta.json")
    example = (meta.get("corpus") or {}).get("example") or EXAMPLE
    result = check_wheel(wheels[0], data / "test.spacy", example=example)
    try:
        expected = float(read_json(metrics)["scores"]["test"]["f1"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{metrics}: not the scores of a pipeline. Evaluate it again.") from error
    if abs(result["f1"] - expected) > TOLERANCE:
        raise InputError(
            f"{wheels[0]}: F1 is {result['f1']:.4f} on test, but was {expected:.4f} before "
            f"packaging. Train and package again."
        )
    write_json(output, {"wheel": wheels[0].name, "sha256": sha256(wheels[0]), **result})
    return CheckedWheel(wheels[0], result)


def check_wheel(wheel: Path, test: Path, *, example: str = EXAMPLE) -> WheelCheck:
    """Install a wheel into an empty folder and use it from there, without a network.

    wheel (Path): The wheel.
    test (Path): The .spacy file to evaluate on.
    example (str): A sentence to annotate.
    RETURNS (WheelCheck): The entities, the score, and the modules of the wheel.
    RAISES (InputError): If it cannot be installed, loaded or used.
    """
    with tempfile.TemporaryDirectory() as name:
        target, dependencies = Path(name) / "wheel", Path(name) / "dependencies"
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile"]
        _run([*pip, "--quiet", "--target", str(target), str(wheel)])
        _link_dependencies(dependencies)
        package = wheel.name.split("-")[0]
        arguments = [str(target), str(dependencies), package, example, str(test.resolve())]
        # -I -S: no PYTHONPATH, no current folder, no site-packages
        output = _run([sys.executable, "-I", "-S", "-c", PROGRAM, *arguments], folder=name)
    return cast(WheelCheck, json.loads(output.splitlines()[-1]) | {"example": example})


def _link_dependencies(folder: Path) -> None:
    """Link every installed package except the project and its wheels."""
    folder.mkdir()
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    for entry in (entry for path in installed for entry in path.iterdir()):
        if not entry.name.startswith(PROJECT) and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)


def _run(command: list[str], folder: str | None = None) -> str:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    if result.returncode:
        raise InputError(f"the wheel does not work: {result.stderr.strip() or result.stdout}")
    return result.stdout
