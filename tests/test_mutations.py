"""The mutations of this project apply, and a wrong mutation is refused."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import ROOT
from tests.mutations import (
    MUTATIONS,
    Mutation,
    MutationError,
    applied,
    find_file,
    find_lines,
    mutate,
    read_mutations,
)

SOURCE = dedent(
    """\
    LIMIT = 3
    SHARES: dict[str, float] = {
        "dev": 0.1,
    }


    def add(a: int, b: int) -> int:
        return a + b


    @staticmethod
    def twice(a: int) -> int:
        def once() -> int:
            return a

        return once() + once()


    class Sum:
        total = 0

        async def add(self, a: int) -> None:
            self.total += a
    """
)
OURS = read_mutations(MUTATIONS)


def fault(
    symbol: str = "tiny.numbers:add", find: str = "a + b", replace: str = "a - b"
) -> Mutation:
    return Mutation("minus", symbol, find, replace, ("tests/test_numbers.py",))


@pytest.mark.parametrize(
    ("qualified_name", "first", "last"),
    [
        ("LIMIT", "LIMIT = 3", "LIMIT = 3"),
        ("SHARES", "SHARES: dict[str, float] = {", "}"),
        ("add", "def add(a: int, b: int) -> int:", "    return a + b"),
        ("twice", "def twice(a: int) -> int:", "    return once() + once()"),
        ("twice.once", "    def once() -> int:", "        return a"),
        ("Sum.total", "    total = 0", "    total = 0"),
        ("Sum.add", "    async def add(self, a: int) -> None:", "        self.total += a"),
    ],
)
def test_a_definition_is_located_by_its_qualified_name(
    qualified_name: str, first: str, last: str
) -> None:
    lines = SOURCE.split("\n")[find_lines(SOURCE, qualified_name)]
    assert (lines[0], lines[-1]) == (first, last)


@pytest.mark.parametrize(
    ("source", "qualified_name", "count"),
    [(SOURCE, "subtract", 0), (SOURCE, "Sum.subtract", 0), ("a = 1\na = 2\n", "a", 2)],
)
def test_a_definition_occurs_once(source: str, qualified_name: str, count: int) -> None:
    name = qualified_name.split(".")[-1]
    with pytest.raises(MutationError, match=f"expected one definition of {name}, found {count}"):
        find_lines(source, qualified_name)


def test_only_the_symbol_is_changed() -> None:
    mutated = mutate(SOURCE, fault(symbol="tiny.numbers:Sum.add", find="+=", replace="-="))
    assert mutated == SOURCE.replace("self.total += a", "self.total -= a")


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ("a * b", "", "found it 0 times: 'a \\* b'"),
        ("self.total", "", "found it 0 times"),  # it is in another symbol
        ("int", "str", "found it 3 times"),
        ("a + b", "a +", "minus: is not valid Python"),
    ],
)
def test_a_text_that_does_not_occur_once_is_refused(find: str, replace: str, message: str) -> None:
    with pytest.raises(MutationError, match=message):
        mutate(SOURCE, fault(find=find, replace=replace))


def test_a_file_is_restored_byte_for_byte_after_an_interrupt(tmp_path: Path) -> None:
    path = tmp_path / "numbers.py"
    original = SOURCE.replace("\n", "\r\n").encode()
    path.write_bytes(original)

    def interrupt() -> None:
        with applied(tmp_path, fault(symbol="numbers:add")):
            assert path.read_bytes() == original.replace(b"a + b", b"a - b")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert path.read_bytes() == original


def test_a_module_is_located_without_an_import(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    for name in ("__init__", "numbers"):
        (tmp_path / f"tiny/{name}.py").write_text("raise SystemExit")
    assert find_file(tmp_path, "tiny.numbers") == tmp_path / "tiny/numbers.py"
    assert find_file(tmp_path, "tiny") == tmp_path / "tiny/__init__.py"
    with pytest.raises(MutationError, match=r"tiny.letters: no such module"):
        find_file(tmp_path, "tiny.letters")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('name = "Minus"', "joined by hyphens"),
        ('symbol = "tiny.numbers.add"', 'expected "module:name"'),
        ('replace = "a + b"', "differ from replace"),
        ("tests = []", "names no tests"),
        ("tests = 3", "not a list of mutations"),
        ("more = 1", "not a list of mutations"),
        ("name = ", "not a list of mutations"),
        ("", "more than one mutation is called minus"),
    ],
)
def test_a_mistake_in_the_list_is_explained(row: str, message: str, tmp_path: Path) -> None:
    good = {
        "name": '"minus"',
        "symbol": '"tiny.numbers:add"',
        "find": '"a + b"',
        "replace": '"a - b"',
        "tests": '["tests/test_numbers.py"]',
    }
    key, _, value = row.partition(" = ")
    changed = {**good, key: value} if row else good
    text = "".join(
        "[[mutations]]\n" + "".join(f"{k} = {v}\n" for k, v in rows.items())
        for rows in (good, changed)
    )
    (tmp_path / "list.toml").write_text(text)
    with pytest.raises(MutationError, match=message):
        read_mutations(tmp_path / "list.toml")


@pytest.mark.parametrize("mutation", OURS, ids=lambda mutation: mutation.name)
def test_each_mutation_applies_and_its_tests_exist(mutation: Mutation) -> None:
    source = find_file(ROOT, mutation.module).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutate(source, mutation))) != ast.dump(ast.parse(source))
    for test in mutation.tests:
        path, _, name = test.partition("[")[0].partition("::")
        test_source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or find_lines(test_source, name.replace("::", "."))


def test_there_are_enough_mutations_of_each_part() -> None:
    parts = {
        "CRF": ("crf", "loss"),
        "windows": ("windows",),
        "tags": ("tags",),
        "calibration": ("confidence", "fit", "outcomes"),
        "reader": ("reader",),
        "matching": ("matching",),
        "journal": ("journal", "inputs"),
        "limits": ("limits", "batching", "guard"),
    }
    modules = [mutation.module.split(".")[-1] for mutation in OURS]
    assert len(OURS) >= 70
    assert {part: sum(m in names for m in modules) >= 3 for part, names in parts.items()} == (
        dict.fromkeys(parts, True)
    )
