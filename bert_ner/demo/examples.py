"""Texts to click where a visitor has none at hand."""

from collections.abc import Iterable
from pathlib import Path

from ..evaluation.examples import parse

NEWS = Path(__file__).parents[2] / "docs" / "examples.txt"
MOVIES = (
    "show me a funny science fiction movie from the 1980s with a robot",
    "who directed the thriller about a lighthouse keeper starring lena holm",
    "is there a pg-13 western with a five star rating",
    "what song plays at the end of glass river",
)
_OF_MOVIES = {"ACTOR", "DIRECTOR", "GENRE", "TITLE"}


def examples_for(labels: Iterable[str], count: int = 4) -> list[str]:
    """Texts that suit what a pipeline finds.

    labels (Iterable[str]): The labels of its entities.
    count (int): How many at most.
    RETURNS (list[str]): Queries where labels are of movies, else sentences of news.
    """
    if _OF_MOVIES & {label.upper() for label in labels}:
        return list(MOVIES[:count])
    lines = NEWS.read_text(encoding="utf-8").splitlines() if NEWS.exists() else []
    return [parse(line)[0] for line in lines if line][:count]
