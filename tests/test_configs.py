"""Every recipe is complete and consistent."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from spacy import util

from tests.conftest import ROOT

RECIPES = sorted((ROOT / "configs").rglob("*.cfg"))


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


# spaCy's command line for many commands in one process, which has imported nothing of ours.
SPACY = """
import json, sys
from spacy.cli import app
from typer.testing import CliRunner
for command in json.load(sys.stdin):
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, (command, result.output, result.exception)
"""


def run_spacy(*commands: Iterable[object]) -> None:
    given = json.dumps([[*map(str, command)] for command in commands])
    process = [sys.executable, "-c", SPACY]
    result = subprocess.run(process, input=given, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_fill_config_changes_nothing(tmp_path: Path) -> None:
    run_spacy(*(["init", "fill-config", path, tmp_path / path.name] for path in RECIPES))
    for path in RECIPES:
        assert util.load_config(tmp_path / path.name) == util.load_config(path)


def test_debug_config_passes_without_code(tmp_path: Path) -> None:
    paths = ["--paths.train", tmp_path, "--paths.dev", tmp_path]
    run_spacy(*(["debug", "config", path, *paths] for path in RECIPES))


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
