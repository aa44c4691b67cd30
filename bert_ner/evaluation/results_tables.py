"""Tables of the measured results in docs/results/, for README.md and docs/results.md."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import cast

from ..errors import InputError
from ..files import read_json, replacing
from .examples import AnnotatedExample, ExamplesRecord
from .records import AuditRecord, Scores, ThresholdScores
from .result_groups import Group, group_runs

NO_RECIPES = ("ablation",)  # folders of docs/results/ that hold other measurements


def render_summary(groups: Sequence[Group]) -> str:
    """Render the short table of README.md.

    groups (Sequence[Group]): The groups of runs.
    RETURNS (str): Markdown, with the groups that were scored on their own corpus.
    """
    columns = ["trained and scored on", "recipe", "encoder", "dev F1", "test F1"]
    rows = [
        [
            group.trained_on,
            f"`{group.recipe}`",
            group.encoder,
            group.percent("dev", lambda scores: scores["f1"]),
            group.test_f1,
            group.calibration_error,
            str(len(group.runs)),
        ]
        for group in groups
        if group.same_corpus
    ]
    return table([*columns, "calibration error", "runs"], rows)


def render_scores(groups: Sequence[Group]) -> str:
    """Render the strict scores of all groups as Markdown."""
    columns = ["trained on", "scored on", "recipe", "encoder"]
    rows = [
        [
            *group.names,
            group.percent("dev", lambda scores: scores["f1"]),
            group.percent("test", lambda scores: scores["precision"]),
            group.percent("test", lambda scores: scores["recall"]),
            group.test_f1,
            group.seeds,
        ]
        for group in groups
    ]
    return table([*columns, "dev F1", "test P", "test R", "test F1", "runs"], rows)


def render_confidence(groups: Sequence[Group]) -> str:
    """Render the reliability of the confidence on test as Markdown."""
    columns = ["trained on", "scored on", "recipe", "encoder"]
    rows = [
        [
            *group.names,
            group.calibration_error,
            _at(group, lambda scores: scores["precision"]),
            _at(group, lambda scores: scores["recall"]),
        ]
        for group in groups
        if group.confidence
    ]
    return table([*columns, "calibration error", "P at 0.9", "R at 0.9"], rows)


def _at(group: Group, value: Callable[[ThresholdScores], float]) -> str:
    """Format the median of a score at confidence 0.9, in percent."""
    return f"{100 * median(value(c['thresholds']['0.9']) for c in group.confidence):.1f}"


def render_cost(groups: Sequence[Group]) -> str:
    """Render the time and memory of training, and the speed of annotation, as Markdown."""
    columns = ["trained on", "scored on", "recipe", "encoder", "minutes", "peak memory"]
    rows = []
    for group in groups:
        training = [run["training"] for run in group.runs]
        speed = median(run["scores"]["test"]["words_per_second"] for run in group.runs)
        last = group.runs[-1]
        rows.append(
            [
                *group.names,
                f"{median(t['seconds'] for t in training) / 60:.0f}",
                f"{max(t['peak_memory_mb'] for t in training) / 1024:.1f} GB",
                f"{speed:,.0f}",
                f"{last['machine']}, {last['date']}",
            ]
        )
    return table([*columns, "words per second", "machine, date"], rows)


def render_examples(record: ExamplesRecord) -> str:
    """Render the predicted and missed entities of the example sentences.

    record (ExamplesRecord): The contents of docs/results/examples.json.
    RETURNS (str): Markdown.
    """
    rows = [
        [example["text"], _predicted(example) or "nothing", _missed(example)]
        for example in record["examples"]
    ]
    intro = f"`{record['pipeline']}`, trained on {record['trained_on']}:\n\n"
    return intro + table(["sentence", "found", "missed"], rows)


def _predicted(example: AnnotatedExample) -> str:
    return ", ".join(_entity(*entity) for entity in example["found"])


def _entity(text: str, label: str, mark: str, confidence: float | None = None) -> str:
    score = "" if confidence is None else f" {confidence:.2f}"
    return f"{text} `{label}`{score}{' ✗' if mark == 'wrong' else ''}"


def _missed(example: AnnotatedExample) -> str:
    return ", ".join(f"{text} `{label}`" for text, label in example["missed"])


def render_audit(record: AuditRecord) -> str:
    """Render precision and recall of an audit's ranking.

    record (AuditRecord): The contents of docs/results/audit.json.
    RETURNS (str): Markdown.
    """
    rows = [
        [str(row["sentences"]), f"{100 * row['precision']:.0f} %", f"{100 * row['recall']:.0f} %"]
        for row in record["ranking"]
    ]
    original, corrected = record["f1"]["original"], record["f1"]["corrected"]
    training = record["training"]
    return (
        f"`{record['pipeline']}`, trained on {record['trained_on']} with the recipe "
        f"`{training['recipe']}`, seed {training['seed']}:\n\n"
        + table(["first sentences", "precision", "recall"], rows)
        + f"\nThe correction changes {record['changed_sentences']} sentences. F1 on test is "
        f"{100 * original:.2f} with the original annotation and {100 * corrected:.2f} with the "
        "corrected one.\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a Markdown table.

    columns (Sequence[str]): The headers.
    rows (Iterable[Sequence[str]]): The cells.
    RETURNS (str): Markdown.
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def render_results(results: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Render all tables.

    results (Path): The folder docs/results.
    RETURNS (tuple[dict[str, str], dict[str, str]]): Markdown by the name of the section,
        for README.md and for docs/results.md.
    """
    folders = [path for path in sorted(results.iterdir()) if path.is_dir()]
    recipes = [path for path in folders if path.name not in NO_RECIPES]
    files = [path for folder in recipes for path in sorted(folder.glob("*.json"))]
    groups = group_runs(cast(Scores, read_json(path)) for path in files)
    page = {
        "SCORES": render_scores(groups),
        "CONFIDENCE": render_confidence(groups),
        "COST": render_cost(groups),
        "EXAMPLES": render_examples(read_json(results / "examples.json")),
        "AUDIT": render_audit(read_json(results / "audit.json")),
    }
    return {"SCORES": render_summary(groups)}, page


def fill_in(path: Path, sections: dict[str, str]) -> str:
    """Replace the sections of a Markdown file that are between markers.

    path (Path): The file.
    sections (dict[str, str]): Contents by the name of the section, such as SCORES for the
        markers `<!-- SCORES START -->` and `<!-- SCORES END -->`.
    RETURNS (str): The new contents of the file.
    RAISES (InputError): If a marker is missing.
    """
    text = path.read_text(encoding="utf-8")
    for name, content in sections.items():
        start, end = f"<!-- {name} START -->\n", f"<!-- {name} END -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            raise InputError(f"{path}: the markers {start.strip()} and {end} are missing.")
        text = before + start + content + end + after
    return text


def write_results(readme: Path, page: Path, results: Path) -> None:
    """Write the measured results into README.md and docs/results.md.

    readme (Path): README.md.
    page (Path): docs/results.md.
    results (Path): The folder docs/results.
    RAISES (InputError): If a marker is missing.
    """
    summary, tables = render_results(results)
    contents = {readme: fill_in(readme, summary), page: fill_in(page, tables)}
    for path, text in contents.items():
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
