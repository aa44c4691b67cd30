"""Install a wheel where this project is not, and check that it works there offline."""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError
from ..files import read_json, sha256, write_json

PROJECT = ("en_bert", "__editable__")  # what of site-packages is the project's own
TOLERANCE = 2e-3  # of F1: a GPU in half precision and a CPU differ in a few mentions
TEXT = "Maria Olsen of the World Bank flew from Nairobi to Berlin."

# Runs with the wheel and its dependencies on the path, and nothing of the project.
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


def check_wheel(wheel: Path, test: Path) -> dict[str, Any]:
    """Install a wheel into an empty folder and use it from there, without network.

    wheel (Path): The wheel.
    test (Path): The .spacy file to evaluate on.
    RETURNS (dict[str, Any]): The entities found in an example sentence, the
        strict f1 on the file, and which modules of the wheel were imported.
    RAISES (InputError): If it cannot be installed, loaded or used.
    """
    with tempfile.TemporaryDirectory() as name:
        target, dependencies = Path(name) / "wheel", Path(name) / "dependencies"
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile"]
        _run([*pip, "--quiet", "--target", str(target), str(wheel)])
        _link_dependencies(dependencies)
        package = wheel.name.split("-")[0]
        arguments = [str(target), str(dependencies), package, TEXT, str(test.resolve())]
        # -I -S: no PYTHONPATH, no current folder, no site-packages of its own
        output = _run([sys.executable, "-I", "-S", "-c", PROGRAM, *arguments], folder=name)
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def _link_dependencies(folder: Path) -> None:
    """Link all that is installed here but the project itself and its wheels."""
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


def main(
    package: Annotated[Path, typer.Argument(help="The package's folder.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    metrics: Annotated[Path, typer.Option(help="JSON file with the pipeline's scores.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Install a pipeline's wheel elsewhere and check that it scores as measured."""
    wheels = list((package / "dist").glob("*.whl"))
    if not wheels:
        raise InputError(f"{package}/dist: no wheel there. Run the package step first.")
    result = check_wheel(wheels[0], data / "test.spacy")
    try:
        expected = read_json(metrics)["scores"]["test"]["f1"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{metrics}: not the scores of a pipeline. Evaluate it again.") from error
    if abs(result["f1"] - expected) > TOLERANCE:
        raise InputError(
            f"{wheels[0]}: scores {result['f1']:.4f} where {expected:.4f} was measured before "
            f"packaging. Train and package again."
        )
    write_json(output, {"wheel": wheels[0].name, "sha256": sha256(wheels[0]), **result})
    found = ", ".join(f"{text} ({label})" for text, label in result["entities"]) or "no entity"
    print(f"{wheels[0].name} works alone: F1 {100 * result['f1']:.2f} on test, as measured")
    print(f'"{TEXT}" -> {found}')
