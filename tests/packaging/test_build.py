"""The folder and the metadata of a package."""

from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.files import write_json
from bert_ner.packaging.build import package


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    """A model's folder and its scores, as far as they are read first."""
    write_json(tmp_path / "model" / "meta.json", {"lang": "en", "name": "ner"})
    write_json(tmp_path / "metrics.json", {"schema": 1, "pipeline": "en_ner"})
    return tmp_path / "model", tmp_path / "metrics.json"


def test_a_folder_that_is_not_a_package_is_not_replaced(
    inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    wheel = tmp_path / "packages" / "config-conll2003" / "dist" / "a.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    with pytest.raises(InputError, match="packages: is not a package and would be replaced"):
        package(*inputs, tmp_path / "packages", version="0.1.0")
    assert wheel.exists()


def test_mistakes_are_explained(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match='version "one": expected one such as'):
        package(*inputs, tmp_path / "p", version="one")
    write_json(inputs[1], {"schema": 1, "pipeline": "en_other"})
    with pytest.raises(InputError, match="not the scores of"):
        package(*inputs, tmp_path / "p", version="0.1.0")
    with pytest.raises(InputError, match=r"none\.json: not found"):
        package(inputs[0], tmp_path / "none.json", tmp_path / "p", version="0.1.0")
    assert not (tmp_path / "p").exists()
