"""project.yml keeps the rules that weasel does not check."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bert_ner.corpora import mit, mit_movie, mit_trivia
from bert_ner.corpora.registry import CORPORA
from tests.conftest import ROOT

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "project.yml").read_text())
COMMANDS = {command["name"]: command for command in PROJECT["commands"]}
NESTED = ("all", "report", "corpus", "convert-queries", "check-int8-")  # run other workflows
MEASURE = ("fetch-", "ablation-", "benchmark-", "soak-test-", "load-test-")  # always run
SERVERS = ("app", "serve-")  # run until they are stopped, and write nothing
CODE = "assets/.code/"  # digests of the code of each command, which fetch writes


def interpolated(text: str) -> str:
    return re.sub(r"\$\{vars\.(\w+)\}", lambda m: str(PROJECT["vars"][m[1]]), text)


def is_any(command: dict[str, Any], prefixes: tuple[str, ...]) -> bool:
    return str(command["name"]).startswith(prefixes)


@pytest.fixture(params=list(COMMANDS.values()), ids=list(COMMANDS))
def command(request: pytest.FixtureRequest) -> dict[str, Any]:
    value: dict[str, Any] = request.param
    return value


def test_size_and_order() -> None:
    lines = (ROOT / "project.yml").read_text().splitlines()
    assert len(lines) <= 600
    assert max(map(len, lines)) < 140
    assert len(COMMANDS) <= 25
    order = ["title", "vars", "directories", "assets", "workflows", "commands"]
    assert [key for key in PROJECT if key in order] == order


def test_command_has_help_and_no_shell_syntax(command: dict[str, Any]) -> None:
    assert command["help"]
    for line in command["script"]:
        assert not re.search(r"[*|&;<>`]|\$\(", line)
        expected = (
            "python -m spacy project run " if is_any(command, NESTED) else "python -m scripts."
        )
        assert line.startswith(expected)


def test_command_lists_its_script_and_config(command: dict[str, Any]) -> None:
    for line in command["script"]:
        words = shlex.split(line)
        if words[2] == "spacy":
            continue
        script = words[2].removeprefix("scripts.")
        assert (ROOT / "scripts" / f"{script}.py").exists()
        code = {f"assets/.code/{script}.sha256", f"scripts/{script}.py"}
        assert code & set(command["deps"])
        assert all(word in command["deps"] for word in words if word.endswith(".cfg"))


def test_command_has_outputs_and_none_is_its_own_dependency(command: dict[str, Any]) -> None:
    outputs = command.get("outputs", [])
    assert bool(outputs) != is_any(command, (*NESTED, *SERVERS))
    assert not set(outputs) & set(command.get("deps", []))
    # these look for themselves whether something has changed, or measure the machine
    assert command.get("no_skip", False) == is_any(command, (*MEASURE, *NESTED, *SERVERS))


def test_dependencies_are_files_in_the_repository_or_outputs_of_an_earlier_command(
    command: dict[str, Any],
) -> None:
    names = list(COMMANDS)
    earlier = names[: names.index(command["name"])]
    made = {output for name in earlier for output in COMMANDS[name].get("outputs", [])}
    made.add("corpus/mit_movie/test.spacy")  # convert-queries makes it
    for dependency in command.get("deps", []):
        file = ROOT / interpolated(dependency.replace("${vars.variant}", ""))
        made_here = dependency.replace("${vars.variant}", "") in made or dependency in made
        assert dependency.startswith(CODE) or made_here or file.is_file(), dependency


def test_every_workflow_starts_with_fetch_and_runs_what_its_steps_need() -> None:
    for name, steps in PROJECT["workflows"].items():
        assert steps[0] == "fetch-${vars.corpus}", name
        made: set[str] = {"corpus/mit_movie/test.spacy"} if "convert-queries" in steps else set()
        for step in steps:
            deps = [dep.replace("${vars.variant}", "") for dep in COMMANDS[step].get("deps", [])]
            inputs = {dep for dep in deps if dep.split("/")[0] in MADE}
            assert inputs <= made, (name, step, inputs - made)
            made |= {o.replace("${vars.variant}", "") for o in COMMANDS[step].get("outputs", [])}


MADE = ("corpus", "training", "metrics", "packages")


def test_no_line_names_a_corpus_that_a_variable_can_name() -> None:
    """A new corpus is a module and a line of the registry."""
    for name, command in COMMANDS.items():
        if not is_any(command, ("all", "report", "corpus", "convert-queries")):
            text = yaml.dump(command).replace("corpus/mit_movie/test.spacy", "")
            assert not any(re.search(rf"\b{corpus}\b", text) for corpus in CORPORA), name


def test_corpus_converts_every_corpus() -> None:
    script = " ".join(COMMANDS["corpus"]["script"])
    assert re.findall(r"--vars\.corpus (\w+)", script) == list(CORPORA)


def test_nested_commands_pass_the_variables_on() -> None:
    for name in ("all", "report"):
        for line in COMMANDS[name]["script"]:
            passed = set(re.findall(r"--vars\.(\w+)[= ]\$\{vars\.\1\}", line))
            assert passed | {"corpus"} >= {
                "recipe",
                "encoder",
                "epochs",
                "seed",
                "gpu_id",
                "fallback",
            }


def test_assets_are_the_public_files_and_extra() -> None:
    """weasel checks MD5 only and exits 0 on a mismatch, so the fetch commands check SHA-256."""
    expected = {
        f"assets/{corpus}/{name}": (mit.URL + name, checksum)
        for corpus, module in (("mit_movie", mit_movie), ("mit_trivia", mit_trivia))
        for name, checksum in module.CHECKSUMS.items()
    }
    assets = {
        asset["dest"]: (asset["url"], asset["description"].split()[-1])
        for asset in PROJECT["assets"]
    }
    assert assets == expected
    assert all(asset["extra"] for asset in PROJECT["assets"])


def test_project_assets_works_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "project.yml").write_text((ROOT / "project.yml").read_text())
    command = [sys.executable, "-m", "spacy", "project", "assets", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_docs_have_the_current_commands(tmp_path: Path) -> None:
    output = tmp_path / "workflow.md"
    shutil.copy(ROOT / "docs" / "workflow.md", output)
    command = [sys.executable, "-m", "spacy", "project", "document", str(ROOT)]
    subprocess.run([*command, "--output", str(output)], capture_output=True, check=True)
    page = output.read_text().replace("](project.yml)", "](../project.yml)")
    assert page == (ROOT / "docs" / "workflow.md").read_text(), "run make fix"
    assert len(page.splitlines()) > 50
