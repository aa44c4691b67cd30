"""Every recipe is complete and consistent."""

import subprocess
import sys
from pathlib import Path

import pytest
from spacy import util

from tests.conftest import ROOT

RECIPES = sorted((ROOT / "configs").rglob("*.cfg"))


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def spacy_command(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_fill_config_changes_nothing(recipe: Path, tmp_path: Path) -> None:
    spacy_command("init", "fill-config", recipe, tmp_path / "filled.cfg")
    assert util.load_config(tmp_path / "filled.cfg") == util.load_config(recipe)


def test_debug_config_passes_without_code(recipe: Path, tmp_path: Path) -> None:
    spacy_command("debug", "config", recipe, "--paths.train", tmp_path, "--paths.dev", tmp_path)


def test_schedule_ends_with_the_run(recipe: Path) -> None:
    training = util.load_config(recipe)["training"]
    assert training["optimizer"]["learn_rate"]["total_steps"] == training["max_steps"]
    assert (training["max_epochs"] == 0) == (recipe.parent.name == "configs")


def test_batches_count_windows_as_the_encoder_cuts_them(recipe: Path) -> None:
    config = util.load_config(recipe)
    windows = config["components"]["transformer"]["model"]["get_spans"]
    batcher = config["training"]["batcher"]
    assert batcher.get("window", windows["max_pieces"]) == windows["max_pieces"]


def test_first_line_says_what_it_is_for(recipe: Path) -> None:
    assert recipe.read_text().startswith("# ")
