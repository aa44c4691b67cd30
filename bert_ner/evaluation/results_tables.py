"""Write the measured results in docs/results/ into the README, so that no figure is typed."""

import re
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from ..errors import InputError
from ..files import read_json, replacing

COLUMNS = (
    *("trained on", "scored on", "recipe", "encoder", "dev F1", "test P", "test R", "test F1"),
    *("runs", "calibration error", "P and R at 0.9", "minutes", "peak memory", "words a second"),
    "machine, date",
)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"


def render_scores(runs: list[dict[str, Any]]) -> str:
    """A table of scores, medians over runs that differ by their seed alone.

    runs (list[dict[str, Any]]): Contents of metrics files.
    RETURNS (str): Markdown.
    """
    groups: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        encoder = f"{run['training']['encoder']}, {run['training']['epochs']} epochs"
        names = (run["trained_on"], run["source"]["title"], f"`{run['training']['recipe']}`")
        groups[*names, encoder].append(run)
    return HEADER + "".join(_row(list(names), runs) for names, runs in groups.items())


def _row(names: list[str], runs: list[dict[str, Any]]) -> str:
    def middle(split: str, name: str) -> str:
        return f"{100 * median(run['scores'][split][name] for run in runs):.2f}"

    f1 = [100 * run["scores"]["test"]["f1"] for run in runs]
    trained = [run["training"] for run in runs]
    seeds = ", ".join(str(t["seed"]) for t in trained)
    last = runs[-1]
    cells = [
        *names,
        middle("dev", "f1"),
        middle("test", "precision"),
        middle("test", "recall"),
        f"**{middle('test', 'f1')}**" + (f" ({min(f1):.2f} to {max(f1):.2f})" if f1[1:] else ""),
        f"{len(runs)} (seed{'s' if f1[1:] else ''} {seeds})",
        *_confidence([run["scores"]["test"].get("confidence") for run in runs]),
        f"{median(t['seconds'] for t in trained) / 60:.0f}",
        f"{max(t['peak_memory_mb'] for t in trained) / 1024:.1f} GB",
        f"{median(run['scores']['test']['words_per_second'] for run in runs):,.0f}",
        f"{last['machine']}, {last['date']}",
    ]
    return "| " + " | ".join(cells) + " |\n"


def _confidence(found: list[dict[str, Any] | None]) -> tuple[str, str]:
    """How far the confidence on test can be trusted, and what is left of it at 0.9."""
    known = [confidence for confidence in found if confidence]
    if not known:
        return "no confidence", ""
    at = [confidence["thresholds"]["0.9"] for confidence in known]
    p, r = (100 * median(values[key] for values in at) for key in ("precision", "recall"))
    return f"{median(confidence['ece'] for confidence in known):.3f}", f"{p:.1f}, {r:.1f}"


def render_examples(record: dict[str, Any]) -> str:
    """A table with what a pipeline found in each example sentence.

    record (dict[str, Any]): What `bert_ner.evaluation.examples` wrote.
    RETURNS (str): Markdown.
    """
    rows = [
        f"| {example['text']} | {_found(example) or 'nothing'} | {_missed(example)} |"
        for example in record["examples"]
    ]
    return (
        f"`{record['pipeline']}`, trained on {record['trained_on']}:\n\n"
        "| sentence | found | missed |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _found(example: dict[str, Any]) -> str:
    return ", ".join(_entity(*entity) for entity in example["found"])


def _entity(text: str, label: str, mark: str, confidence: float | None = None) -> str:
    sure = "" if confidence is None else f" {confidence:.2f}"
    return f"{text} `{label}`{sure}{' ✗' if mark == 'wrong' else ''}"


def _missed(example: dict[str, Any]) -> str:
    return ", ".join(f"{text} `{label}`" for text, label in example["missed"])


def render_audit(record: dict[str, Any]) -> str:
    """A table of how many of the most doubted annotations were changed indeed.

    record (dict[str, Any]): What `bert_ner.experiments.audit` wrote.
    RETURNS (str): Markdown.
    """
    rows = [
        f"| {row['sentences']} | {100 * row['precision']:.0f} % | {100 * row['recall']:.0f} % |"
        for row in record["ranking"]
    ]
    f1 = {key: f"{100 * value:.2f}" for key, value in record["f1"].items()}
    training = record["training"]
    return (
        f"`{record['pipeline']}`, trained on {record['trained_on']} with the recipe "
        f"`{training['recipe']}`, seed {training['seed']}:\n\n"
        "| most doubted sentences | of them changed | of all changed |\n|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\nF1 is {f1['original']} on the test split as it was, and {f1['corrected']} as "
        f"corrected ({record['changed_sentences']} sentences were changed).\n"
    )


def fill_in(readme: str, results: Path) -> str:
    """Replace the sections of a README that are made from results.

    readme (str): Its text, with the markers of the sections.
    results (Path): The folder of results.
    RETURNS (str): Its new text.
    RAISES (InputError): If a marker is missing.
    """
    folders = [path for path in sorted(results.iterdir()) if path.is_dir()]
    recipes = [path for path in folders if path.name != "ablation"]
    runs = [read_json(path) for folder in recipes for path in sorted(folder.glob("*.json"))]
    readme = _replace(readme, "SCORES", render_scores(runs))
    readme = _replace(readme, "AUDIT", render_audit(read_json(results / "audit.json")))
    return _replace(readme, "EXAMPLES", render_examples(read_json(results / "examples.json")))


def _replace(text: str, section: str, content: str) -> str:
    start, end = f"<!-- {section} START -->\n", f"<!-- {section} END -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise InputError(f"README.md: the markers {start.strip()} and {end} are missing.")
    return pattern.sub(lambda _: start + content + end, text)


def main(
    readme: Annotated[Path, typer.Option(help="The README.")] = Path("README.md"),
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("docs/results"),
) -> None:
    """Write the measured results into the README."""
    text = fill_in(readme.read_text(encoding="utf-8"), results)
    with replacing(readme) as partial:
        partial.write_text(text, encoding="utf-8")
