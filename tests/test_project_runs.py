"""Skipping and rerunning with variables in the names of commands, which weasel leaves undocumented.

The project runs as it is, with stub scripts that write the outputs and log their names.
"""

import shutil
from pathlib import Path

import pytest
from weasel.cli.run import project_run
from weasel.util import working_dir

from tests.conftest import ROOT

# Writes every path of --output and --page, and the outputs that no option names.
STUB = """
import sys
from pathlib import Path

name, argv = Path(__file__).stem, sys.argv[1:]
with open("calls.log", "a") as log:
    log.write(" ".join([name, *argv]) + "\\n")
options = dict(zip(argv, argv[1:]))
more = {
    "fetch": [f"assets/{argv[0]}/.source.json"],
    "convert": [f"corpus/{argv[0]}/{n}" for n in
                ("train.spacy", "dev.spacy", "test.spacy", "source.json", "stats.json")],
    "train": [f"{options.get('--output')}/{n}"
              for n in ("model-best/meta.json", "log.jsonl", "train.json")],
}
if name == "fetch":
    from bert_ner.digests import write_digests
    write_digests(Path("assets/.code"), Path.cwd())
paths = more.get(name) or [options[key] for key in ("--output", "--page") if key in options]
for path in map(Path, paths):
    if name in ("calibrate", "package", "quantize", "cross_validate"):
        path = path / "meta.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(" ".join(argv))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose commands are stubs."""
    for name in ("project.yml", "bert_ner", "configs", "scripts"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for script in (tmp_path / "scripts").glob("[a-z]*.py"):
        script.write_text(STUB)
    return tmp_path


def run(project: Path, workflow: str, **variables: str) -> list[str]:
    """Run a workflow; returns the commands that ran, each as its name and first argument."""
    log = project / "calls.log"
    log.write_text("")
    with working_dir(project):
        project_run(project, workflow, overrides={f"vars.{k}": v for k, v in variables.items()})
    return [" ".join(line.split()[:2]) for line in log.read_text().splitlines()]


ALL_STEPS = ["fetch", "convert", "train", "calibrate", "evaluate", "package", "check"]


def names(calls: list[str]) -> list[str]:
    return [call.split()[0] for call in calls]


def test_two_corpora_in_turn_are_each_made_once(project: Path) -> None:
    assert names(run(project, "pipeline", corpus="conll2003")) == ALL_STEPS
    assert names(run(project, "pipeline", corpus="mit_movie")) == ALL_STEPS
    assert run(project, "pipeline", corpus="conll2003") == ["fetch conll2003"]


def test_two_recipes_in_turn_are_each_trained_once(project: Path) -> None:
    assert names(run(project, "train")) == ["fetch", "convert", "train"]
    assert names(run(project, "train", recipe="transition")) == ["fetch", "train"]
    assert names(run(project, "train")) == ["fetch"]
    (project / "configs" / "config.cfg").write_text("[training]\n")
    assert names(run(project, "train")) == ["fetch", "train"]
    assert names(run(project, "train", recipe="transition")) == ["fetch"]


def test_a_variable_or_a_changed_pipe_trains_again(project: Path) -> None:
    run(project, "train")
    assert names(run(project, "train", seed="2")) == ["fetch", "train"]
    assert names(run(project, "train", seed="2")) == ["fetch"]
    with (project / "bert_ner" / "pipes" / "crf.py").open("a") as file:
        file.write("# changed\n")
    (project / "bert_ner" / "pipes" / "new.py").write_text("")
    train = project / "scripts" / "train.py"
    train.write_text(STUB + "from bert_ner import loading\n")  # what makes the pipes count
    assert names(run(project, "train", seed="2")) == ["fetch", "train"]
    (project / "bert_ner" / "pipes" / "new.py").write_text("x = 1\n")
    assert names(run(project, "train", seed="2")) == ["fetch", "train"]


@pytest.mark.slow
def test_the_int8_variant_has_its_own_steps(project: Path) -> None:
    assert names(run(project, "pipeline")) == ALL_STEPS
    calls = names(run(project, "int8"))
    assert calls == ["fetch", "quantize", "evaluate", "package", "check"]
    assert names(run(project, "int8")) == ["fetch"]
    assert names(run(project, "pipeline")) == ["fetch"]
    packages = sorted(path.name for path in (project / "packages").iterdir())
    assert packages == ["config-conll2003", "config-conll2003-int8"]


@pytest.mark.slow
def test_nested_runs_pass_variables_and_failures_on(project: Path) -> None:
    calls = run(project, "report", recipe="transition", seed="3")
    assert [call for call in calls if call.startswith("train")] == [
        "train conll2003",
        "train mit_movie",
    ]
    assert (project / "metrics" / "transition" / "mit_movie.json").exists()
    (project / "scripts" / "convert.py").write_text("raise SystemExit(1)")
    with pytest.raises(SystemExit) as caught:
        run(project, "all")
    assert caught.value.code == 1
