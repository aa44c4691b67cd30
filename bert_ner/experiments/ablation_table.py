"""Write what an ablation has found as a page."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ..files import read_json

HEADER = (
    "| switch | runs | dev F1 | test F1 | against | test F1 gained | what can be said | {labels} | "
    "trained parameters | s/epoch | peak memory |\n"
)
INTRODUCTION = """\
# What each switch is worth

`spacy project run ablation` trains every switch of `configs/ablation.toml` against the recipe
itself, with the same documents, the same number of steps and the same seeds, and writes this page.
It goes on where it stopped. `python -m scripts.ablation --help` says how to measure a part.

A gain is the mean of the paired differences over seeds, with its standard error. It is called a
gain or a loss only beyond two standard errors over three seeds at least, and never a claim about
another budget: what helps a model that has seen a twelfth of the corpus may not help one that has
seen all of it. Seconds are those of the processor, added up over its cores, or on a GPU those of
the clock.
"""


def render(switches: list[Any], budgets: dict[str, Any], results: Path) -> str:
    """Write the page of all results that are there.

    switches (list[Switch]): What was measured, the default first.
    budgets (dict[str, Any]): The budgets by name.
    results (Path): The folder, with one folder for each corpus and budget.
    RETURNS (str): Markdown.
    """
    about = [f"- `{name}`: {budget['about']}." for name, budget in budgets.items()]
    parts = [INTRODUCTION, "\n".join(["Budgets:", "", *about]), ""]
    for folder in sorted(path for path in results.glob("*/*") if path.is_dir()):
        runs = _read(folder)
        measured = [switch for switch in switches if switch.name in runs]
        if measured:
            parts.append(_section(measured, runs, folder))
    return "\n".join(parts)


def _read(folder: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """Runs by switch and seed."""
    runs: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        run = read_json(path)
        runs.setdefault(run["switch"], {})[run["seed"]] = run
    return runs


def _section(
    switches: list[Any],
    runs: dict[str, dict[int, dict[str, Any]]],
    folder: Path,
) -> str:
    first = next(iter(runs[switches[0].name].values()))
    made = first["settings"]
    labels = sorted(first["scores"]["test"]["labels"])
    sizes = ", ".join(f"{n:,} of {split}" for split, n in first["sentences"].items())
    lines = [
        f"## {folder.parent.name}, budget `{folder.name}`",
        "",
        f"Corpus: {made['source']}. Sentences: {sizes}. {first['epochs']} epochs, "
        f"{first['steps']} steps, encoder {made['encoder']}, {made['machine']}.",
        "",
        HEADER.format(labels=" | ".join(labels)).rstrip(),
        f"|{'---|' * (10 + len(labels))}",
    ]
    lines += [_row(switch, runs, labels) for switch in switches]
    lines += ["", *(_paragraph(switch, runs) for switch in switches[1:])]
    return "\n".join(lines) + "\n"


def f1(run: dict[str, Any], split: str = "test") -> float:
    """The F1 of a run, in points."""
    return 100 * float(run["scores"][split]["f1"])


def seconds(run: dict[str, Any]) -> float:
    """Seconds an epoch: of the processor, or on a GPU by the clock."""
    on_gpu = "," in run["settings"]["machine"]  # "2 cores of ..., NVIDIA ..."
    return float(run["wall_seconds_per_epoch" if on_gpu else "processor_seconds_per_epoch"])


def gain(
    runs: dict[int, dict[str, Any]], others: dict[int, dict[str, Any]]
) -> tuple[int, float, float | None]:
    """The mean paired difference of test F1, in points.

    runs (dict[int, dict[str, Any]]): A switch's runs by seed.
    others (dict[int, dict[str, Any]]): Those it is measured against.
    RETURNS (tuple[int, float, float | None]): How many pairs, the mean, and its
        standard error, which takes two pairs.
    """
    pairs = [f1(run) - f1(other) for run, other in _pairs(runs, others)]
    error = stdev(pairs) / len(pairs) ** 0.5 if len(pairs) > 1 else None
    return len(pairs), mean(pairs) if pairs else 0.0, error


def _pairs(
    runs: dict[int, dict[str, Any]], others: dict[int, dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Runs of one seed that differ by their switch alone."""
    both = [(run, others[seed]) for seed, run in runs.items() if seed in others]
    return [
        (run, other)
        for run, other in both
        if {**run["settings"], "switch": None} == {**other["settings"], "switch": None}
    ]


def verdict(pairs: int, difference: float, error: float | None) -> str:
    """What a paired difference allows to say."""
    if pairs < 3 or error is None:
        return f"too few runs ({pairs} of 3)"
    if abs(difference) <= 2 * error:
        return "cannot tell at this budget"
    return "**better**" if difference > 0 else "**worse**"


def _spread(values: list[float]) -> str:
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def _signed(pairs: int, difference: float, error: float | None) -> str:
    return f"{difference:+.2f}" + (f" ± {error:.2f}" if error is not None else "")


def _row(switch: Any, runs: dict[str, dict[int, dict[str, Any]]], labels: list[str]) -> str:
    own = runs[switch.name]
    against = runs.get(switch.against, {})
    found = gain(own, against)
    is_measured = switch.name != switch.against and found[0] > 0
    all_runs = list(own.values())
    by_label = [
        [100 * run["scores"]["test"]["labels"].get(label, {"f1": 0.0})["f1"] for run in all_runs]
        for label in labels
    ]
    cells = [
        f"`{switch.name}`",
        str(len(own)),
        _spread([f1(run, "dev") for run in all_runs]),
        _spread([f1(run) for run in all_runs]),
        f"`{switch.against}`" if is_measured else "",
        _signed(*found) if is_measured else "",
        verdict(*found) if is_measured else "",
        *(f"{mean(values):.1f}" for values in by_label),
        f"{all_runs[0]['trained_parameters']:,}",
        f"{mean(seconds(run) for run in all_runs):.0f}",
        f"{max(run['peak_memory_mb'] for run in all_runs) / 1024:.1f} GB",
    ]
    return "| " + " | ".join(cells) + " |"


def _paragraph(switch: Any, runs: dict[str, dict[int, dict[str, Any]]]) -> str:
    """What was found about a switch, in a sentence or two."""
    own, against = runs[switch.name], runs.get(switch.against, {})
    found = gain(own, against)
    if not found[0]:
        return f"**{switch.group}: `{switch.name}`.** {switch.about}\n"
    ratios = [seconds(run) / seconds(other) for run, other in _pairs(own, against)]
    cost = f" An epoch takes {mean(ratios):.2f} times as long."
    said = verdict(*found).replace("**", "")
    return (
        f"**{switch.group}: `{switch.name}`.** {switch.about} {_signed(*found)} points of test F1 "
        f"against `{switch.against}`, {found[0]} pair{'s' if found[0] != 1 else ''} of runs: "
        f"{said}.{cost}\n"
    )
