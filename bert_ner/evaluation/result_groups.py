"""Groups of runs that differ only in their seed: the rows of the tables of results."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median

from .records import Confidence, Scores, SplitScores


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed: one row of a table."""

    trained_on: str
    scored_on: str
    recipe: str
    encoder: str
    epochs: int | None
    runs: list[Scores] = field(default_factory=list)

    @property
    def is_sample(self) -> bool:
        """Whether the scores are on the built-in sample."""
        return self.runs[0]["source"]["kind"] == "sample"

    @property
    def same_corpus(self) -> bool:
        """Whether the pipeline was trained and scored on the same corpus."""
        return self.trained_on == self.scored_on

    @property
    def names(self) -> list[str]:
        """The cells that name the runs."""
        encoder = f"{self.encoder}, {self.epochs} epochs"
        return [self.trained_on, self.scored_on, f"`{self.recipe}`", encoder]

    @property
    def seeds(self) -> str:
        """Number of runs and their seeds."""
        seeds = ", ".join(str(run["training"]["seed"]) for run in self.runs)
        return f"{len(self.runs)} (seed{'s' if len(self.runs) > 1 else ''} {seeds})"

    @property
    def test_f1(self) -> str:
        """Median F1 on test, and the range over several runs."""
        f1 = [100 * run["scores"]["test"]["f1"] for run in self.runs]
        spread = f" ({min(f1):.2f} to {max(f1):.2f})" if len(f1) > 1 else ""
        return f"**{median(f1):.2f}**{spread}"

    @property
    def confidence(self) -> list[Confidence]:
        """Reliability of the confidence on test, in the runs that have one."""
        tests = (run["scores"]["test"] for run in self.runs)
        return [confidence for test in tests if (confidence := test.get("confidence"))]

    @property
    def calibration_error(self) -> str:
        """Median expected calibration error on test."""
        return f"{median(c['ece'] for c in self.confidence):.3f}" if self.confidence else "–"

    def percent(self, split: str, value: Callable[[SplitScores], float]) -> str:
        """Format the median of a score over the runs, in percent."""
        return f"{100 * median(value(run['scores'][split]) for run in self.runs):.2f}"


def group_runs(runs: Iterable[Scores]) -> list[Group]:
    """Group runs that differ only in their seed.

    runs (Iterable[Scores]): The contents of metrics files.
    RETURNS (list[Group]): The groups: real corpora first, then the sample, then pipelines
        that were scored on another corpus than their own.
    """
    groups: dict[tuple[object, ...], Group] = {}
    for run in runs:
        training = run["training"]
        recipe, encoder = str(training["recipe"]), str(training["encoder"])
        group = Group(
            run["trained_on"], run["source"]["title"], recipe, encoder, training["epochs"]
        )
        groups.setdefault((*group.names,), group).runs.append(run)
    return sorted(
        groups.values(),
        key=lambda g: (not g.same_corpus, g.is_sample, g.trained_on, g.scored_on),
    )
