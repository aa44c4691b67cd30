"""Every recipe, of a file or of a paper, is complete and consistent."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from spacy import util

from bert_ner.training.papers import read_papers
from bert_ner.training.recipe import Recipe, paper_recipe, read_recipe
from tests.conftest import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
PAPERS = ROOT / "configs" / "papers.toml"
NAMES = [*(path.stem for path in CONFIGS), *read_papers(PAPERS)]


def read(name: str) -> Recipe:
    path = ROOT / "configs" / f"{name}.cfg"
    return read_recipe(path) if path in CONFIGS else paper_recipe(name, PAPERS)


@pytest.fixture(params=NAMES)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return read(request.param)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every recipe as a file."""
    folder = tmp_path_factory.mktemp("configs")
    for name in NAMES:
        read(name).config.to_disk(folder / f"{name}.cfg", interpolate=False)
    return [folder / f"{name}.cfg" for name in NAMES]


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
    arguments = json.dumps([[*map(str, command)] for command in commands])
    process = [sys.executable, "-c", SPACY]
    result = subprocess.run(process, input=arguments, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_recipe_is_complete(recipe: Recipe) -> None:
    assert util.load_model_from_config(recipe.config, auto_fill=True).config == recipe.config


@pytest.mark.slow
def test_spacy_commands_accept_every_recipe_without_code(files: list[Path], tmp_path: Path) -> None:
    paths = ["--paths.train", tmp_path, "--paths.dev", tmp_path]
    run_spacy(
        *(["init", "fill-config", path, tmp_path / path.name] for path in files),
        *(["debug", "config", path, *paths] for path in files),
    )
    for path in files:  # fill-config changes nothing
        assert util.load_config(tmp_path / path.name) == util.load_config(path)


def test_schedule_ends_with_the_run(recipe: Recipe) -> None:
    training = recipe.config["training"]
    assert training["optimizer"]["learn_rate"]["total_steps"] == training["max_steps"]
    is_file = ROOT / "configs" / f"{recipe.name}.cfg" in CONFIGS
    assert (training["max_epochs"] == 0) == is_file


def test_batches_count_windows_as_the_encoder_cuts_them(recipe: Recipe) -> None:
    windows = recipe.config["components"]["transformer"]["model"]["get_spans"]
    batcher = recipe.config["training"]["batcher"]
    assert batcher.get("window", windows["max_pieces"]) == windows["max_pieces"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_first_line_says_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("# ")
