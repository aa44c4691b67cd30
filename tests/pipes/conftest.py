"""Pipelines of the recipes on the tiny encoder."""

from pathlib import Path
from typing import Any

import pytest
from spacy import util
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import Config

from tests.pipes.training import Build, make_examples

ROOT = Path(__file__).parents[2]


@pytest.fixture
def build(encoder: Path) -> Build:
    """Build a recipe's pipeline on the tiny encoder, with some settings changed."""

    def _build(recipe: str = "config", **changes: Any) -> Language:
        overrides = {"components.transformer.model.name": str(encoder)}
        overrides |= {key.replace("__", "."): value for key, value in changes.items()}
        config = util.load_config(ROOT / f"configs/{recipe}.cfg", overrides=overrides)
        config["training"] = {}
        config["corpora"] = {}
        fix_random_seed(1)
        nlp = util.load_model_from_config(Config(config), auto_fill=True)
        nlp.initialize(lambda: make_examples(nlp))
        return nlp

    return _build
