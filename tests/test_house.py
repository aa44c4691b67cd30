"""The rules of the code: imports, sizes and wording.

CONTRIBUTING.md explains the rules.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

LIBRARY = sorted((ROOT / "bert_ner").rglob("*.py"))
COMMANDS = sorted((ROOT / "scripts").glob("[a-z]*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
STANDALONE = {"bundle_run.py"}  # is copied into a bundle and runs before anything is installed
PROSE = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "assets").glob("*.md")]
IDIOMS = re.compile(
    r"\b(stands|stand in|beside|goes on|go on|gone on|anew|by itself|of its own|(can|cannot) be had"
    r"|lies|in one go|nobody|indeed|surest|whom|therefrom|thereof|wherein)\b",
    re.IGNORECASE,
)
LOOSE_DICT = re.compile(r"dict\[str, (Any|object)\]")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The modules that a file names in its imports, as dotted absolute names."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{target}.{alias.name}" for alias in node.names)


def module_of(name: str) -> Path | None:
    """The file of the library that a dotted name is in."""
    parts = name.split(".")
    for end in (len(parts), len(parts) - 1):
        path = ROOT.joinpath(*parts[:end]).with_suffix(".py")
        if parts[0] == "bert_ner" and path.is_file():
            return path
    return None


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_library_imports_no_command_and_does_not_print(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] in ("scripts", "tests")]
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert path.name in {*STANDALONE, "cli.py"} or "print" not in calls
    assert path.name == "cli.py" or "typer" not in set(imports(path))


@pytest.mark.parametrize("path", sorted((ROOT / "bert_ner/pipes").glob("*.py")), ids=name_of)
def test_pipes_import_nothing_else_of_the_project(path: Path) -> None:
    ours = {name for name in imports(path) if name.startswith("bert_ner")}
    assert all(name.startswith("bert_ner.pipes.") for name in ours)
    # the same file is a module of every wheel, so it cannot name the repository's package
    assert not re.search(r"^\s*(from|import) bert_ner", path.read_text(), re.MULTILINE)


def test_library_has_no_import_circle() -> None:
    graph = {
        path: {m for name in imports(path) if (m := module_of(name)) and m != path}
        for path in LIBRARY
    }
    while leaves := {path for path, needed in graph.items() if not needed & graph.keys()}:
        graph = {path: needed for path, needed in graph.items() if path not in leaves}
    assert [name_of(path) for path in graph] == []


@pytest.mark.parametrize("path", COMMANDS, ids=name_of)
def test_command_is_thin_and_nothing_imports_it(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 110
    assert not [name for name in imports(path) if name.startswith("scripts")]
    assert 'if __name__ == "__main__":\n    cli.run(main)' in path.read_text()


def test_test_files_import_no_other_test_file() -> None:
    wrong = [(name_of(p), n) for p in TESTS for n in imports(p) if re.search(r"\.test_\w+", n)]
    assert wrong == []


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Names and lengths of functions, from the signature to the last line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_files_and_functions_are_short() -> None:
    code = [*LIBRARY, *COMMANDS, *TESTS]
    long_files = [name_of(path) for path in code if len(path.read_text().splitlines()) > 300]
    ours = [*LIBRARY, *COMMANDS]
    long_functions = [(name, n) for path in ours for name, n in functions(path) if n > 40]
    assert [name for name in long_files if not name.startswith("tests/")] == []
    assert len(long_functions) <= 8, long_functions


def test_records_have_types() -> None:
    code = [*LIBRARY, *COMMANDS]
    lines = [
        f"{name_of(path)}:{i}"
        for path in code
        for i, line in enumerate(path.read_text().splitlines(), 1)
        if LOOSE_DICT.search(line)
    ]
    assert len(lines) <= 40, lines


def test_types_are_checked_everywhere() -> None:
    code = [*LIBRARY, *COMMANDS]
    ignores = [
        f"{name_of(path)}: {line.strip()}"
        for path in code
        for line in path.read_text().splitlines()
        if "# type: ignore" in line
    ]
    assert len(ignores) <= 8, ignores
    assert all("# type: ignore[" in line for line in ignores)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    modules = [module for override in settings["overrides"] for module in override["module"]]
    assert settings["strict"]
    assert not [m for m in modules if m.split(".")[0] in ("bert_ner", "scripts", "tests")]


def test_no_helper_of_ours_is_found_through_a_registry() -> None:
    wrong = [name_of(p) for p in LIBRARY if "registry.misc" in p.read_text()]
    assert wrong == []


def prose(path: Path) -> str:
    """The text that a person reads: a page, or docstrings, comments and messages of a module."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    strings = [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join([*strings, *re.findall(r"(?<!\S)# .*", text)])


def test_prose_is_plain_english() -> None:
    """At most 0.5 archaic idioms per 1,000 words."""
    words, idioms = 0, []
    for path in [*PROSE, *LIBRARY, *COMMANDS, *TESTS]:
        if path != Path(__file__):  # it lists them
            text = prose(path)
            words += len(text.split())
            idioms += [f"{name_of(path)}: {m[0]}" for m in IDIOMS.finditer(text)]
    assert len(idioms) <= 0.5 * words / 1000, idioms
