"""Page with the results of an ablation: docs/ablation.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import cast

from ..errors import InputError
from ..files import read_json, replacing
from ..templates import markdown_template
from .ablation_plan import Plan, RemovedSwitch
from .records import AblationRecord

TEMPLATE = Path(__file__).with_name("ablation.md")
COLUMNS = ("switch", "runs", "dev F1", "test F1", "against", "gain", "verdict")
COSTS = ("trained parameters", "s/epoch", "peak memory")
MIN_PAIRS = 3  # for a verdict

Runs = Mapping[str, Mapping[int, AblationRecord]]  # by switch and seed


@dataclass(frozen=True)
class Gain:
    """Mean paired difference of test F1.

    pairs (int): Number of pairs of runs.
    mean (float): In points, 0 without pairs.
    error (float | None): Standard error of the mean, None for fewer than two pairs.
    """

    pairs: int
    mean: float
    error: float | None

    def __str__(self) -> str:
        return f"{self.mean:+.2f}" + (f" ± {self.error:.2f}" if self.error is not None else "")

    @property
    def verdict(self) -> str:
        """The conclusion that the pairs allow."""
        if self.pairs < MIN_PAIRS or self.error is None:
            return f"too few runs ({self.pairs} of {MIN_PAIRS})"
        if abs(self.mean) <= 2 * self.error:
            return "inconclusive"
        return "better" if self.mean > 0 else "worse"


@dataclass(frozen=True)
class Section:
    """Results for a corpus and a budget. `switches` and `removed` are Markdown."""

    corpus: str
    budget: str
    facts: str
    switches: str
    removed: str


def write_page(plan: Plan, results: Path, page: Path) -> None:
    """Write the page of all recorded results.

    plan (Plan): The plan.
    results (Path): Folder of results: see `render`.
    page (Path): Output file.
    RAISES (InputError): If a file in the folder is not a record of a run.
    """
    text = render(plan, results)
    with replacing(page) as partial:
        partial.write_text(text, encoding="utf-8")


def render(plan: Plan, results: Path) -> str:
    """Render the page of all recorded results.

    plan (Plan): The plan, which describes budgets and switches.
    results (Path): Folder with a folder per corpus, each with a folder per budget.
    RETURNS (str): Markdown.
    RAISES (InputError): If a file in the folder is not a record of a run.
    """
    folders = sorted(path for path in results.glob("*/*") if path.is_dir())
    sections = [_section(plan, folder, read_runs(folder)) for folder in folders]
    return markdown_template(TEMPLATE).render(
        budgets=plan.budgets, sections=[section for section in sections if section]
    )


def read_runs(folder: Path) -> dict[str, dict[int, AblationRecord]]:
    """Read the records of a corpus and a budget.

    folder (Path): Folder of JSON files.
    RETURNS (dict[str, dict[int, AblationRecord]]): Records by switch and seed.
    RAISES (InputError): If a file is not a record of a run.
    """
    runs: dict[str, dict[int, AblationRecord]] = {}
    for path in sorted(folder.glob("*.json")):
        content = read_json(path)
        if not isinstance(content, dict) or AblationRecord.__required_keys__ - set(content):
            raise InputError(f"{path}: not a record of an ablation. Remove it and run it again.")
        record = cast(AblationRecord, content)
        runs.setdefault(record["switch"], {})[record["seed"]] = record
    return runs


def gain(runs: Mapping[int, AblationRecord], others: Mapping[int, AblationRecord]) -> Gain:
    """Compute the mean paired difference of test F1.

    runs (Mapping[int, AblationRecord]): Runs of a switch by seed.
    others (Mapping[int, AblationRecord]): Runs of the switch that it is compared with.
    RETURNS (Gain): The gain. Only runs with the same seed and conditions are paired.
    """
    differences = [_f1(run) - _f1(other) for run, other in _pairs(runs, others)]
    error = stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else None
    return Gain(len(differences), mean(differences) if differences else 0.0, error)


def _pairs(
    runs: Mapping[int, AblationRecord], others: Mapping[int, AblationRecord]
) -> list[tuple[AblationRecord, AblationRecord]]:
    """Pair runs with the same seed that differ only in their switch."""
    same_seed = [(run, others[seed]) for seed, run in runs.items() if seed in others]
    return [
        (run, other)
        for run, other in same_seed
        if {**run["settings"], "switch": None} == {**other["settings"], "switch": None}
    ]


def _f1(run: AblationRecord, split: str = "test") -> float:
    """Return the F1 of a run in points."""
    return 100 * run["scores"][split]["f1"]


def _seconds(run: AblationRecord) -> float:
    """Return seconds per epoch: processor seconds, or wall-clock seconds on a GPU."""
    on_gpu = "," in run["settings"]["machine"]  # "2 cores of ..., NVIDIA ..."
    return run["wall_seconds_per_epoch" if on_gpu else "processor_seconds_per_epoch"]


def _section(plan: Plan, folder: Path, runs: Runs) -> Section | None:
    """Make the section of a corpus and a budget. Returns None without runs."""
    switches = [switch for switch in plan.switches if switch.name in runs]
    removed = [switch for switch in plan.removed if switch.name in runs]
    if not switches:
        return None
    first = next(iter(runs[switches[0].name].values()))
    settings = first["settings"]
    labels = sorted(first["scores"]["test"]["labels"])
    sizes = ", ".join(f"{n:,} of {split}" for split, n in first["sentences"].items())
    facts = (
        f"Corpus: {settings['source']}. Sentences: {sizes}. {first['epochs']} epochs, "
        f"{first['steps']} steps, encoder {settings['encoder']}, {settings['machine']}."
    )
    return Section(
        corpus=folder.parent.name,
        budget=folder.name,
        facts=facts,
        switches=_results(switches, runs, labels),
        removed=_results(removed, runs, labels) if removed else "",
    )


def _results(switches: Sequence[RemovedSwitch], runs: Runs, labels: Sequence[str]) -> str:
    """Render a table of switches, and a paragraph for each that is compared with another."""
    columns = [*COLUMNS, *labels, *COSTS]
    table = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    table += [_row(switch, runs, labels) for switch in switches]
    paragraphs = [_paragraph(s, runs) for s in switches if s.name != s.against]
    return "\n\n".join(["\n".join(table), *paragraphs])


def _row(switch: RemovedSwitch, runs: Runs, labels: Sequence[str]) -> str:
    own = list(runs[switch.name].values())
    result = gain(runs[switch.name], runs.get(switch.against, {}))
    is_compared = switch.name != switch.against and result.pairs > 0
    verdict = f"**{result.verdict}**" if result.verdict in ("better", "worse") else result.verdict
    cells = [
        f"`{switch.name}`",
        str(len(own)),
        _spread([_f1(run, "dev") for run in own]),
        _spread([_f1(run) for run in own]),
        *((f"`{switch.against}`", str(result), verdict) if is_compared else ("", "", "")),
        *(f"{mean(_label_f1(run, label) for run in own):.1f}" for label in labels),
        f"{own[0]['trained_parameters']:,}",
        f"{mean(_seconds(run) for run in own):.0f}",
        f"{max(run['peak_memory_mb'] for run in own) / 1024:.1f} GB",
    ]
    return "| " + " | ".join(cells) + " |"


def _label_f1(run: AblationRecord, label: str) -> float:
    """Return the test F1 of a label in points, 0 if the label does not occur."""
    scores = run["scores"]["test"]["labels"].get(label)
    return 100 * scores["f1"] if scores else 0.0


def _spread(values: Sequence[float]) -> str:
    """Render a mean and, of two values or more, their standard deviation."""
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def _paragraph(switch: RemovedSwitch, runs: Runs) -> str:
    """Describe a switch and its result."""
    own, against = runs[switch.name], runs.get(switch.against, {})
    result = gain(own, against)
    about = f"**{switch.group}: `{switch.name}`.** {switch.about}"
    if not result.pairs:
        return about
    ratio = mean(_seconds(run) / _seconds(other) for run, other in _pairs(own, against))
    pairs = f"{result.pairs} pair{'s' if result.pairs != 1 else ''} of runs"
    return (
        f"{about} {result} points of test F1 against `{switch.against}`, {pairs}: "
        f"{result.verdict}. An epoch takes {ratio:.2f} times as long."
    )
