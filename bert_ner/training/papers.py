"""Recipes of papers and the figures that the papers report: configs/papers.toml."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from ..errors import InputError
from ..files import read_toml
from .records import Overrides

PAPERS = Path("configs/papers.toml")
METRICS = {  # and f1_LABEL
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "accuracy": "accuracy of tokens",
    "loss": "loss of a token",
    "weighted_token_f1": "F1 of tokens, weighted",
}


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reported(_Entry):
    """Figures that a paper reports for a split.

    title (str): Name in the report. The paper's title if it is empty.
    split (str): "dev" or "test".
    about (str): Remark on the figures.
    figures (dict[str, float]): Values by metric, in points; a loss is in nats. A metric is
        one of `METRICS`, or "f1_" and a label.
    """

    title: str = ""
    split: Literal["dev", "test"]
    about: str
    figures: dict[str, float]

    @field_validator("figures")
    @classmethod
    def _check_metrics(cls, figures: dict[str, float]) -> dict[str, float]:
        for metric in figures:
            if metric not in METRICS and not metric.startswith("f1_"):
                known = f"{', '.join(METRICS)}, and f1_ before a label"
                raise ValueError(f"{metric} is not measured. Known: {known}")
        return figures


class Paper(_Entry):
    """A paper's recipe and figures.

    title (str): Name in the report.
    about (list[str]): Remarks on the recipe, one per line.
    corpus (str): Name of the corpus.
    base (str): Stem of the config that the recipe changes.
    encoder (str): Name of the encoder on the Hub.
    overrides (Overrides): Changes to the config, by dotted key. A table replaces a
        whole section; its arguments that are missing get their defaults.
    reported (list[Reported]): Figures of the paper.
    """

    title: str
    about: list[str]
    corpus: str
    base: Literal["config", "pos", "transition"]
    encoder: str
    overrides: Overrides = Field(default_factory=dict)
    reported: list[Reported] = Field(default_factory=list)


_PAPERS = TypeAdapter(dict[str, Paper])


def read_papers(path: Path = PAPERS) -> dict[str, Paper]:
    """Read the papers.

    path (Path): The TOML file: one table per paper.
    RETURNS (dict[str, Paper]): The papers by name.
    RAISES (InputError): If the file is not valid.
    """
    try:
        return _PAPERS.validate_python(read_toml(path))
    except ValidationError as e:
        error = e.errors()[0]
        where = ".".join(str(part) for part in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}: {where}: {message}.") from e


def get_paper(name: str, path: Path = PAPERS) -> Paper:
    """Look up a paper.

    name (str): Its name in the file.
    path (Path): The TOML file.
    RETURNS (Paper): The paper.
    RAISES (InputError): If there is no such paper. The error lists the papers.
    """
    papers = read_papers(path)
    if name not in papers:
        raise InputError(f"--paper {name}: expected one of {', '.join(papers)}.")
    return papers[name]
