"""The mutation check on a package of a few lines."""

import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests import mutate
from tests.mutate import check_imports, choose, copy_files, try_all, try_mutation
from tests.mutations import Mutation, MutationError, read_mutations

SOURCE = """\
LIMIT = 3


def add(a: int, b: int) -> int:
    return a + b
"""
TEST = """\
from tiny import numbers

def test_add():
    assert numbers.add(2, 3) == 5
"""
RUN = "from tests import test_numbers; test_numbers.test_add()"  # pytest takes seconds to start


def fault(
    name: str = "minus", symbol: str = "tiny.numbers:add", find: str = "a + b", replace: str = "a-b"
) -> Mutation:
    return Mutation(name, symbol, find, replace, ("tests/test_numbers.py",))


CAUGHT, SURVIVED = fault(), fault("limit", "tiny.numbers:LIMIT", "3", "4")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout of a package with one test, nothing committed."""
    root = tmp_path / "checkout"
    for folder in ("tiny", "tests"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").touch()
    (root / "tiny" / "numbers.py").write_text(SOURCE)
    (root / "tests" / "test_numbers.py").write_text(TEST)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.fixture
def without_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutate, "PYTEST", ("-c", RUN))


def test_the_copy_has_the_files_of_the_checkout_except_ignored_ones(
    checkout: Path, tmp_path: Path
) -> None:
    subprocess.run(["git", "add", "."], cwd=checkout, check=True)
    (checkout / ".gitignore").write_text("*.log\n")
    for name in ("new.txt", "ignored.log"):
        (checkout / name).touch()
    (checkout / "tests" / "__init__.py").unlink()
    copy_files(checkout, tmp_path / "copy")
    copied = {p.relative_to(tmp_path / "copy").as_posix() for p in tmp_path.glob("copy/**/*.*")}
    tracked = {"tiny/__init__.py", "tiny/numbers.py", "tests/test_numbers.py"}
    assert copied == {*tracked, ".gitignore", "new.txt"}
    with pytest.raises(MutationError, match="git cannot list its files"):
        copy_files(tmp_path / "copy", tmp_path / "other")


@pytest.mark.usefixtures("without_pytest")
def test_results_exit_code_and_file(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mutations.toml"
    path.write_text(
        "".join(
            f'[[mutations]]\nname = "{m.name}"\nsymbol = "{m.symbol}"\nfind = "{m.find}"\n'
            f'replace = "{m.replace}"\ntests = ["tests/test_numbers.py"]\n'
            for m in (CAUGHT, SURVIVED)
        )
    )
    assert read_mutations(path) == [CAUGHT, SURVIVED]
    monkeypatch.setattr(mutate, "ROOT", checkout)
    monkeypatch.setattr(mutate, "MUTATIONS", path)
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    app = typer.Typer()
    app.command()(mutate.main)
    result = CliRunner().invoke(app, ["--output", str(tmp_path / "results.txt")])
    assert result.exit_code == 1
    assert result.stdout.endswith("\n1 caught, 1 survived\n")
    assert (tmp_path / "results.txt").read_text() == (
        "caught    minus\nsurvived  limit\n1 caught, 1 survived\n"
    )
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before
    assert CliRunner().invoke(app, ["--only", "minus"]).exit_code == 0
    result = CliRunner().invoke(app, ["--list", "--only", "limit"])
    assert (result.exit_code, result.stdout) == (0, "limit  tiny.numbers:LIMIT\n")
    result = CliRunner().invoke(app, ["--only", "plus"])
    message = "error: no mutation is called plus. See --list.\n"
    assert (result.exit_code, result.stderr) == (2, message)


@pytest.mark.usefixtures("without_pytest")
def test_tests_that_fail_without_a_mutation_are_an_error(checkout: Path) -> None:
    (checkout / "tests" / "test_numbers.py").write_text("def test_add():\n    assert False\n")
    with pytest.raises(MutationError, match="do not pass without a mutation"):
        list(try_all(checkout, [SURVIVED]))


@pytest.mark.usefixtures("without_pytest")
def test_a_mutation_with_an_endless_test_is_caught(checkout: Path) -> None:
    endless = fault(find="return a + b", replace="while True: pass")
    assert try_mutation(checkout, endless, seconds=1).caught


@pytest.mark.slow
def test_pytest_runs_the_tests(checkout: Path) -> None:
    assert [result.caught for result in try_all(checkout, [CAUGHT, SURVIVED])] == [True, False]
    (checkout / "tests" / "test_numbers.py").write_text("")
    with pytest.raises(MutationError, match="minus: its tests cannot run"):
        try_mutation(checkout, CAUGHT)


def test_a_package_that_is_imported_from_another_place_is_an_error(checkout: Path) -> None:
    installed = fault(symbol="typer.main:Typer")
    with pytest.raises(MutationError, match="typer: is imported from /"):
        check_imports(checkout, [installed])
    with pytest.raises(MutationError, match="nowhere"):
        check_imports(checkout, [fault(symbol="small.numbers:add")])


def test_some_of_the_mutations_can_be_chosen() -> None:
    assert choose([CAUGHT, SURVIVED], []) == [CAUGHT, SURVIVED]
    assert choose([CAUGHT, SURVIVED], ["limit"]) == [SURVIVED]
