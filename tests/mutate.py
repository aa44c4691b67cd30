"""Breaks the code in one place at a time and checks that a test fails.

    python -m tests.mutate                 all mutations of tests/mutations.toml
    python -m tests.mutate --only NAME     one of them; can be repeated
    python -m tests.mutate --list          names and symbols
    python -m tests.mutate --output FILE   write the results to a file as well

The checkout is never changed: its files are copied to a temporary folder, and the code is
broken there. A mutation is caught if its tests fail or do not end, and survives if they
pass. First, all tests must pass without a mutation.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tests.mutations import MUTATIONS, Mutation, MutationError, applied, read_mutations

ROOT = Path(__file__).parent.parent
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
SECONDS = 600  # a test that takes longer counts as one that does not end
CANNOT_RUN = (3, 4, 5)  # pytest: an internal error, wrong arguments, no tests found


@dataclass(frozen=True)
class Result:
    """Whether the tests noticed a mutation, and their time in seconds."""

    name: str
    caught: bool
    seconds: float

    def __str__(self) -> str:
        return f"{'caught' if self.caught else 'survived':<8}  {self.name}"


def copy_files(root: Path, target: Path) -> None:
    """Copy a checkout: the files that git tracks, and new files that it does not ignore.

    root (Path): The checkout.
    target (Path): An empty folder.
    RAISES (MutationError): If it is not a checkout.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if listing.returncode:
        raise MutationError(f"{root}: git cannot list its files: {listing.stderr.decode().strip()}")
    for name in filter(None, os.fsdecode(listing.stdout).split("\0")):
        if (root / name).is_file():  # neither removed nor a submodule
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def run_tests(
    root: Path, tests: Sequence[str], seconds: float | None = None
) -> tuple[int | None, str]:
    """Run tests in a subprocess.

    root (Path): Folder to run them in and to import from.
    tests (Sequence[str]): Test files and node ids.
    seconds (float | None): Maximum time.
    RETURNS (tuple[int | None, str]): The exit code of pytest, None if the tests did not end
        in time, and the output of pytest.
    """
    command, code = [sys.executable, *PYTEST, *tests], None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=_environment(root),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(seconds)
        finally:
            with suppress(ProcessLookupError):  # also processes that the tests left running
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return code, output.read()


def _environment(root: Path) -> dict[str, str]:
    """The environment variables of a process that imports from a folder first.

    There is no bytecode: Python would not notice a change of equal size in the same second.
    """
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def check_imports(root: Path, mutations: Sequence[Mutation]) -> None:
    """Make sure that the tests import the copy and not an installed package.

    root (Path): The copy of the checkout.
    mutations (Sequence[Mutation]): The mutations.
    RAISES (MutationError): If a package is imported from another place.
    """
    code = "import sys, importlib.util as u; print(u.find_spec(sys.argv[1]).origin)"
    for package in sorted({mutation.module.split(".")[0] for mutation in mutations}):
        command = [sys.executable, "-c", code, package]
        process = subprocess.run(
            command, cwd=root.parent, env=_environment(root), capture_output=True, text=True
        )
        origin = process.stdout.strip()
        if not origin or not Path(origin).resolve().is_relative_to(root.resolve()):
            raise MutationError(f"{package}: is imported from {origin or 'nowhere'}, not {root}.")


def check_tests(root: Path, mutations: Sequence[Mutation]) -> None:
    """Make sure that the tests of all mutations pass without a mutation.

    root (Path): The copy of the checkout.
    mutations (Sequence[Mutation]): The mutations.
    RAISES (MutationError): If a test fails.
    """
    tests = list(dict.fromkeys(test for mutation in mutations for test in mutation.tests))
    code, output = run_tests(root, tests)
    if code:
        raise MutationError(f"the tests do not pass without a mutation:\n{output}")


def try_mutation(root: Path, mutation: Mutation, seconds: float = SECONDS) -> Result:
    """Apply a mutation and run its tests.

    root (Path): The copy of the checkout.
    mutation (Mutation): The mutation.
    seconds (float): Maximum time of the tests.
    RETURNS (Result): Whether a test failed.
    RAISES (MutationError): If the mutation cannot be applied, or its tests cannot run.
    """
    start = time.monotonic()
    with applied(root, mutation):
        code, output = run_tests(root, mutation.tests, seconds)
    if code in CANNOT_RUN:
        raise MutationError(f"{mutation.name}: its tests cannot run:\n{output}")
    return Result(mutation.name, caught=code != 0, seconds=time.monotonic() - start)


def try_all(root: Path, mutations: Sequence[Mutation]) -> Iterator[Result]:
    """Try mutations in a temporary copy of a checkout.

    root (Path): The checkout.
    mutations (Sequence[Mutation]): The mutations.
    YIELDS (Result): The result of each, in order.
    RAISES (MutationError): If a mutation cannot be applied, which is checked before any test
        runs, or if the tests do not pass without a mutation.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy").resolve()
        copy_files(root, copy)
        for mutation in mutations:
            with applied(copy, mutation):
                pass
        check_imports(copy, mutations)
        check_tests(copy, mutations)
        for mutation in mutations:
            yield try_mutation(copy, mutation)


def choose(mutations: list[Mutation], names: Sequence[str]) -> list[Mutation]:
    """Choose mutations by name.

    mutations (list[Mutation]): All mutations.
    names (Sequence[str]): Names of the mutations to choose; none chooses all.
    RETURNS (list[Mutation]): The chosen mutations.
    RAISES (MutationError): If there is no mutation of a name.
    """
    if unknown := sorted(set(names) - {mutation.name for mutation in mutations}):
        raise MutationError(f"no mutation is called {', '.join(unknown)}. See --list.")
    return [mutation for mutation in mutations if not names or mutation.name in names]


def main(
    only: Annotated[
        list[str] | None, typer.Option(help="Name of a mutation to try; default: all.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the mutations; run nothing.")] = False,
    output: Annotated[Path | None, typer.Option(help="Also write the results to a file.")] = None,
) -> None:
    """Break the code in one place at a time and check that a test fails."""
    try:
        mutations = choose(read_mutations(MUTATIONS), only or [])
        if show:
            for mutation in mutations:
                print(f"{mutation.name}  {mutation.symbol}")
            return
        results = []
        for result in try_all(ROOT, mutations):
            print(f"{result}  ({result.seconds:.0f} s)", flush=True)
            results.append(result)
    except MutationError as error:
        _fail(str(error))
    survived = sum(not result.caught for result in results)
    summary = f"{len(results) - survived} caught, {survived} survived"
    print(summary)
    if output:
        lines = [*map(str, results), summary]
        output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    raise SystemExit(1 if survived else 0)


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2) from None


if __name__ == "__main__":
    typer.run(main)
