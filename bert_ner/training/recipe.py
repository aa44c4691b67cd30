"""Recipes: complete spaCy configs, and the overrides that fit them to an encoder and a machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalogue import RegistryError
from spacy import util
from spacy.util import registry
from thinc.api import Config, ConfigValidationError

from ..devices import computes_bfloat16
from ..errors import InputError, first_line
from .encoders import Encoder
from .papers import PAPERS, get_paper
from .records import Overrides

CONFIG_ERRORS = (ValueError, KeyError, OSError, RegistryError, ConfigValidationError)
CASE_SEGMENTS = "components.transformer.model.case_segments"
MIXED_PRECISION = "components.transformer.model.mixed_precision"


@dataclass(frozen=True)
class Recipe:
    """A complete spaCy config.

    name (str): Stem of the config's file name, or name of a paper.
    where (str): Place to show in errors.
    config (Config): The config. Its variables such as `${paths.train}` are not filled in.
    """

    name: str
    where: str
    config: Config

    @property
    def encoder(self) -> str:
        """Name of the encoder in the config."""
        return str(self.config["components"]["transformer"]["model"]["name"])

    def complete(self, overrides: Overrides) -> Config:
        """Return the config with overrides, its variables not filled in.

        overrides (Overrides): Values by dotted key.
        RAISES (InputError): If the config lacks a section of an override.
        """
        return self._apply(overrides, interpolate=False)

    def interpolate(self, overrides: Overrides) -> Config:
        """Return the config with overrides and with its variables filled in.

        overrides (Overrides): Values by dotted key.
        RAISES (InputError): If the config lacks a section of an override, or a variable
            names no value.
        """
        return self._apply(overrides, interpolate=True)

    def _apply(self, overrides: Overrides, *, interpolate: bool) -> Config:
        text = self.config.to_str(interpolate=False)

        def load() -> Config:
            config = Config(section_order=self.config.section_order)
            return config.from_str(text, overrides=overrides, interpolate=interpolate)

        return _explain(self.where, load)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a file.

    path (Path): The config.
    RETURNS (Recipe): The recipe, named after the file.
    RAISES (InputError): If the file does not exist or is not a config.
    """
    config = _explain(str(path), lambda: util.load_config(path))
    return Recipe(path.stem, str(path), config)


def paper_recipe(name: str, papers: Path = PAPERS) -> Recipe:
    """Build the recipe of a paper.

    name (str): The paper's name.
    papers (Path): The file that describes the papers, in the folder of the configs.
    RETURNS (Recipe): The complete recipe, named after the paper.
    RAISES (InputError): If there is no such paper, or an override names a setting that
        the base config does not have.
    """
    paper = get_paper(name, papers)
    where = f"{papers}: {name}"
    config = read_recipe(papers.parent / f"{paper.base}.cfg").config
    model: Overrides = {"components.transformer.model.name": paper.encoder}
    for key, value in {**model, **paper.overrides}.items():
        *parents, leaf = key.split(".")
        section = config
        for parent in parents:
            section = section.get(parent, {}) if isinstance(section, dict) else {}
        if leaf not in section:
            raise InputError(f"{where}: {paper.base}.cfg has no setting {key}.")
        section[leaf] = _fill(where, value) if isinstance(value, dict) else value
    return Recipe(name, where, config)


def _fill(where: str, section: Overrides) -> Config:
    """Add the default arguments of the function that a section names."""
    filled: Config = _explain(where, lambda: registry.fill({"section": section})["section"])
    return filled


def _explain(where: str, load: Callable[[], Config]) -> Config:
    try:
        return load()
    except CONFIG_ERRORS as e:
        raise InputError(f"{where}: cannot be used: {first_line(e)}") from e


def fit_encoder(recipe: Config, encoder: Encoder) -> Overrides:
    """Fit a recipe to an encoder.

    A recipe's learning rate suits a base-size encoder; a small one gets a higher
    one. An encoder that has no segment table trains without case segments.

    recipe (Config): The interpolated recipe.
    encoder (Encoder): The encoder.
    RETURNS (Overrides): Changes to the recipe.
    """
    base_rate = recipe["training"]["optimizer"]["learn_rate"]["initial_rate"]
    overrides: Overrides = {
        "components.transformer.model.name": str(encoder.path),
        "training.optimizer.learn_rate.initial_rate": encoder.learn_rate(base_rate),
    }
    model = recipe["components"]["transformer"]["model"]
    if model.get("case_segments") and not encoder.has_segments():
        overrides[CASE_SEGMENTS] = False
    return overrides


def fit_machine(recipe: Config, gpu: int) -> Overrides:
    """Fit a recipe to this machine.

    The training uses half precision on a GPU, and bfloat16 on a CPU that has
    instructions for it, unless the encoder is spaCy's own, which does not support it.

    recipe (Config): The interpolated recipe.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (Overrides): Changes to the recipe.
    """
    if gpu >= 0:
        return {"system.gpu_allocator": "pytorch", MIXED_PRECISION: True}
    architecture = recipe["components"]["transformer"]["model"]["@architectures"]
    if architecture.startswith("bert_ner.") and computes_bfloat16():
        return {MIXED_PRECISION: True}
    return {}
