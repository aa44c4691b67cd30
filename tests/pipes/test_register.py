"""The public names, the entry points, and what the pipes import."""

import ast
import tomllib
from pathlib import Path

import catalogue
import pytest
from spacy.language import Language
from spacy.util import registry

from bert_ner.pipes import register
from bert_ner.pipes.factory import make_token_classifier_ner

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "bert_ner/pipes").glob("*.py"))
NAMES = {path.stem for path in FILES}


def test_every_public_name_is_an_entry_point_and_every_entry_point_a_public_name() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    functions = {
        **register.NAMES,
        "factories": {register.FACTORY: make_token_classifier_ner},
    }
    assert declared == {
        f"spacy_{kind}": {
            name: f"bert_ner.pipes.register:{function.__name__}" for name, function in named.items()
        }
        for kind, named in functions.items()
    }
    for named in functions.values():
        for function in named.values():
            assert getattr(register, function.__name__) is function


def test_registering_again_changes_nothing() -> None:
    for kind, named in register.NAMES.items():
        for name in named:
            assert registry.has(kind, name)
    before = dict(catalogue.REGISTRY)
    meta = Language.get_factory_meta(register.FACTORY)
    register.register()
    assert before == catalogue.REGISTRY
    assert Language.get_factory_meta(register.FACTORY) is meta


def test_the_package_itself_is_empty() -> None:
    """Its entry points are loaded before a name is registered, and a wheel has its own."""
    assert (ROOT / "bert_ner/pipes/__init__.py").read_text() == ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pipes_import_each_other_relatively_and_nothing_of_the_rest(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1
            assert {node.module or alias.name for alias in node.names} <= NAMES
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.module.split(".")[0] not in ("bert_ner", "scripts", "tests")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert alias.name.split(".")[0] not in ("bert_ner", "scripts", "tests")


def test_no_pipe_is_looked_up_in_a_registry() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                values = [a.value for a in node.args if isinstance(a, ast.Constant)]
                if node.func.attr == "get":
                    assert not any(str(value).startswith("bert_ner.") for value in values), path
