"""Example texts to click, made up for this project."""

from collections.abc import Iterable

NEWS = (
    "Ingrid Solheim left Statkraft in March to run the Port of Narvik, the mayor said.",
    "Shares of Halden Marine fell 4 percent in Oslo after Reuters reported a leak.",
    "Jordan scored twice as Lyon beat Marseille 3-1 in Marseille on Sunday.",
    "The Kenyan runner Faith Chebet will skip the Berlin Marathon.",
)
MOVIES = (
    "show me a funny science fiction movie from the 1980s with a robot",
    "who directed the thriller about a lighthouse keeper starring lena holm",
    "is there a pg-13 western with a five star rating",
    "what song plays at the end of glass river",
)
_MOVIE_LABELS = {"ACTOR", "DIRECTOR", "GENRE", "TITLE"}


def examples_for(labels: Iterable[str]) -> tuple[str, ...]:
    """Choose texts of a pipeline's domain.

    labels (Iterable[str]): The labels of its entities.
    RETURNS (tuple[str, ...]): Queries if a label is about movies, else sentences of news.
    """
    return MOVIES if _MOVIE_LABELS & {label.upper() for label in labels} else NEWS
