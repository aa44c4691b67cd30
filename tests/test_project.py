"""project.yml keeps the rules that weasel does not check."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bert_ner.corpora import mit, mit_movie, mit_trivia
from bert_ner.corpora.registry import CORPORA, Name
from tests.conftest import ROOT

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "project.yml").read_text())
COMMANDS = {command["name"]: command for command in PROJECT["commands"]}
NEVER_SKIPPED = ("fetch", "benchmark", "benchmark_gpu", "endurance", "serve", "serve_bench")


def resolved(text: str) -> str:
    return re.sub(r"\$\{vars\.(\w+)\}", lambda m: str(PROJECT["vars"][m[1]]), text)


def test_order_of_the_sections() -> None:
    order = ["title", "vars", "directories", "assets", "workflows", "commands"]
    assert [key for key in PROJECT if key in order] == order


@pytest.fixture(params=list(COMMANDS.values()), ids=list(COMMANDS))
def command(request: pytest.FixtureRequest) -> dict[str, Any]:
    value: dict[str, Any] = request.param
    return value


def test_command_has_help_and_no_shell_syntax(command: dict[str, Any]) -> None:
    assert command["help"]
    for line in command["script"]:
        assert not re.search(r"[*|&;<>`]|\$\(", line)
        assert line.startswith("python -m scripts.")


def test_command_lists_its_script_and_config(command: dict[str, Any]) -> None:
    for line in command["script"]:
        words = shlex.split(line)
        module = Path(*words[2].split(".")).with_suffix(".py")
        assert str(module) in command["deps"]
        assert (ROOT / module).exists()
        assert all(word in command["deps"] for word in words if word.endswith(".cfg"))


# They fail, print and look up, and do not change what is written.
WITHOUT_EFFECT = {"cli", "errors", "files", "machine", "progress"}
WITHOUT_EFFECT |= {"corpora.registry", "corpora.spec"}


def imported(module: str) -> set[str]:
    """The project's modules that a module imports, also through others."""
    path = ROOT / "scripts" / Path(*module.split(".")).with_suffix(".py")
    found: set[str] = set()
    pattern = r"^from scripts\.([\w.]+) import ([\w, ]+)"
    for name, members in re.findall(pattern, path.read_text(), re.MULTILINE):
        is_package = (ROOT / "scripts" / name.replace(".", "/")).is_dir()
        modules = [f"{name}.{m}" for m in members.split(", ")] if is_package else [name]
        for module in modules:
            if module not in WITHOUT_EFFECT:
                found |= {module} | imported(module)
    return found


def test_command_lists_the_modules_that_decide_what_it_writes(command: dict[str, Any]) -> None:
    step, _, rest = command["name"].partition("-")
    corpus = rest.split("-")[-1]
    if step in NEVER_SKIPPED:
        return
    needed = imported(step)
    if step in ("convert", "train", "folds"):
        needed |= {f"corpora.{corpus}"}
    if step == "convert" and corpus in CORPORA:
        needed |= {n for n in imported(f"corpora.{corpus}") if n == "corpora.mit"}
    ignored = {"corpora.public"} if step in ("train", "folds", "ablation") else set()
    for module in needed - ignored:
        assert f"scripts/{module.replace('.', '/')}.py" in command["deps"], module


ALWAYS = ("fetch-", "ablation-", "benchmark-", "benchmark_gpu-", "endurance-", "serve_bench-")
SERVERS = ("app", "serve-")  # run until they are stopped, and write nothing


def test_command_has_outputs_and_none_is_its_own_dependency(command: dict[str, Any]) -> None:
    outputs = command.get("outputs", [])
    assert bool(outputs) != command["name"].startswith(SERVERS)  # these write nothing
    assert not set(outputs) & set(command["deps"])
    # these see for themselves what is there already, or measure the machine of the moment
    assert command.get("no_skip", False) == command["name"].startswith((*ALWAYS, *SERVERS))


def test_dependencies_are_files_in_the_repository_or_outputs_of_an_earlier_command(
    command: dict[str, Any],
) -> None:
    names = list(COMMANDS)
    earlier = names[: names.index(command["name"])]
    made = {output for name in earlier for output in COMMANDS[name].get("outputs", [])}
    for dependency in command["deps"]:
        own = dependency == "assets/own/corpus.toml"
        assert own or dependency in made or (ROOT / resolved(dependency)).is_file(), dependency


@pytest.mark.parametrize("corpus", Name)
def test_every_corpus_has_its_commands_and_workflow(corpus: str) -> None:
    steps = ["fetch", "convert", "train", "finish", "report", "package", "check"]
    assert PROJECT["workflows"][corpus] == [f"{step}-{corpus}" for step in steps]
    packaged = COMMANDS[f"package-{corpus}"]["outputs"][0]
    pipeline = CORPORA[corpus].pipeline if corpus in CORPORA else "bert_own_ner"
    assert packaged == f"packages/en_{pipeline}-${{vars.version}}"


def test_all_builds_both_pipelines() -> None:
    workflows = PROJECT["workflows"]
    assert workflows["all"] == workflows["conll2003"] + workflows["mit_movie"]


def test_assets_are_the_public_files_and_extra() -> None:
    expected = {
        f"assets/{corpus}/{name}": (mit.URL + name, checksum)
        for corpus, module in (("mit_movie", mit_movie), ("mit_trivia", mit_trivia))
        for name, checksum in module.CHECKSUMS.items()
    }
    found = {
        asset["dest"]: (asset["url"], asset["description"].split()[-1])
        for asset in PROJECT["assets"]
    }
    assert found == expected
    assert all(asset["extra"] for asset in PROJECT["assets"])


def test_project_assets_works_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "project.yml").write_text((ROOT / "project.yml").read_text())
    command = [sys.executable, "-m", "spacy", "project", "assets", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_readme_has_the_current_commands() -> None:
    command = [sys.executable, "-m", "spacy", "project", "document", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    section = result.stdout[result.stdout.index("<!-- WEASEL: AUTO-GENERATED DOCS START") :]
    assert len(section.splitlines()) > 50
    readme = (ROOT / "README.md").read_text()
    assert section.strip() in readme
