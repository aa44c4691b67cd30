"""Mutations: faults to put into the code, listed in mutations.toml."""

import ast
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MUTATIONS = Path(__file__).with_name("mutations.toml")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SYMBOL = re.compile(r"[\w.]+:[\w.]+")


class MutationError(Exception):
    """Raised if a mutation cannot be applied or its tests cannot run. The message says why."""


@dataclass(frozen=True)
class Mutation:
    """A fault to put into the code, and the tests that must notice it.

    name (str): Lower-case words joined by hyphens.
    symbol (str): "module:qualified name" of a function, method, class or constant.
    find (str): Text that occurs exactly once in the symbol's source.
    replace (str): Its replacement.
    tests (tuple[str, ...]): Test files and node ids, as pytest takes them.
    """

    name: str
    symbol: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise MutationError(f'"{self.name}": expected lower-case words joined by hyphens.')
        if not SYMBOL.fullmatch(self.symbol):
            raise MutationError(f'{self.name}: symbol "{self.symbol}": expected "module:name".')
        if not self.find or self.find == self.replace:
            raise MutationError(f"{self.name}: find must be some text, and differ from replace.")
        if not self.tests:
            raise MutationError(f"{self.name}: names no tests.")

    @property
    def module(self) -> str:
        """Dotted name of the symbol's module."""
        return self.symbol.partition(":")[0]

    @property
    def qualified_name(self) -> str:
        """Name of the symbol in its module."""
        return self.symbol.partition(":")[2]


def read_mutations(path: Path) -> list[Mutation]:
    """Read the mutations in a file.

    path (Path): A TOML file with a table `[[mutations]]` for each.
    RETURNS (list[Mutation]): The mutations, in the order of the file.
    RAISES (MutationError): If the file is not valid, or a name occurs twice.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["mutations"]
        mutations = [Mutation(**{**row, "tests": tuple(row["tests"])}) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise MutationError(f"{path}: not a list of mutations: {error}.") from error
    names = [mutation.name for mutation in mutations]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise MutationError(f"{path}: more than one mutation is called {', '.join(repeated)}.")
    return mutations


def find_file(root: Path, module: str) -> Path:
    """Find the source file of a module without importing it.

    root (Path): Folder of the top-level packages.
    module (str): Dotted name of the module.
    RETURNS (Path): The file.
    RAISES (MutationError): If there is none.
    """
    stem = root.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    raise MutationError(f"{module}: no such module in {root}.")


def find_lines(source: str, qualified_name: str) -> slice:
    """Find the lines of a definition.

    source (str): Source of a module.
    qualified_name (str): Name such as "Batcher.submit"; also of a constant.
    RETURNS (slice): The lines, counted from 0, without decorators.
    RAISES (MutationError): If the name is not defined, or more than once.
    """
    body: list[ast.stmt] = ast.parse(source).body
    lines = slice(0)
    for name in qualified_name.split("."):
        nodes = [node for node in body if name in _defined_names(node)]
        if len(nodes) != 1:
            raise MutationError(
                f"{qualified_name}: expected one definition of {name}, found {len(nodes)}."
            )
        lines = slice(nodes[0].lineno - 1, nodes[0].end_lineno)
        body = getattr(nodes[0], "body", [])
    return lines


def _defined_names(node: ast.stmt) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def mutate(source: str, mutation: Mutation) -> str:
    """Apply a mutation to the source of its module.

    source (str): The source.
    mutation (Mutation): The mutation.
    RETURNS (str): The source with the fault.
    RAISES (MutationError): If the text does not occur exactly once in the symbol, or the
        result is not valid Python.
    """
    lines = source.split("\n")
    symbol_lines = find_lines(source, mutation.qualified_name)
    symbol_source = "\n".join(lines[symbol_lines])
    if (count := symbol_source.count(mutation.find)) != 1:
        raise MutationError(
            f"{mutation.name}: expected the text once in {mutation.symbol}, "
            f"found it {count} times: {mutation.find!r}"
        )
    lines[symbol_lines] = symbol_source.replace(mutation.find, mutation.replace).split("\n")
    mutated = "\n".join(lines)
    try:
        ast.parse(mutated)
    except SyntaxError as error:
        raise MutationError(f"{mutation.name}: is not valid Python: {error}.") from error
    return mutated


@contextmanager
def applied(root: Path, mutation: Mutation) -> Iterator[None]:
    """Apply a mutation to its file, and restore the file at the end.

    root (Path): Folder of the top-level packages.
    mutation (Mutation): The mutation.
    RAISES (MutationError): If it cannot be applied.
    """
    path = find_file(root, mutation.module)
    original = path.read_bytes()
    mutated = mutate(original.decode("utf-8"), mutation)
    try:
        path.write_bytes(mutated.encode("utf-8"))
        yield
    finally:
        path.write_bytes(original)
