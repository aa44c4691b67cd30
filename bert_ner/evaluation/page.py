"""The report and the audit as HTML pages that load nothing from elsewhere."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..html import Highlight, highlight
from ..palette import label_colours
from . import plots
from .documents import Document
from .label_errors import Suspect
from .matching import Mention
from .records import Metrics
from .worst_errors import ErrorInText

SECTIONS = {
    "scores": "Scores",
    "significance": "Significance",
    "errors": "Errors",
    "worst": "Worst errors",
    "learned": "Learning curve",
    "confidence": "Confidence",
    "robustness": "Other text",
    "papers": "Papers",
}
WordMention = tuple[int, int, str]


def render(metrics: Metrics, worst: Sequence[ErrorInText]) -> str:
    """Render a report.

    metrics (Metrics): The contents of the metrics file.
    worst (Sequence[ErrorInText]): Errors with their text, which the metrics do not have.
    RETURNS (str): HTML.
    """
    test = metrics["splits"]["test"]
    colours = label_colours(test["labels"])
    return _fill_in(
        "report.html",
        metrics=metrics,
        is_sample=metrics["source"]["kind"] == "sample",
        sections=_sections(metrics, worst),
        test=test,
        dev=metrics["splits"]["dev"],
        confidence=metrics["scores"]["test"]["confidence"],
        errors_total=max(1, sum(test["errors"].values())),
        changed={"running text": metrics["raw_text"], **metrics["robustness"]},
        cases=[
            {"about": case["about"], "found": entities(case["words"], case["found"], colours)}
            for case in metrics["cases"]
        ],
        papers_about=list(dict.fromkeys(f"{p['paper']}: {p['about']}" for p in metrics["papers"])),
        worst=[
            {
                **error,
                "gold": entities(error["words"], error["gold"], colours),
                "predicted": entities(error["words"], error["predicted"], colours),
            }
            for error in worst
        ],
        plots=_plots(metrics),
    )


def _sections(metrics: Metrics, worst: Sequence[ErrorInText]) -> list[tuple[str, str]]:
    """List the anchors and titles of the sections that the report has."""
    optional = {
        "significance": metrics["seeds"] or metrics["against"],
        "worst": worst,
        "learned": metrics["learned"],
        "confidence": metrics["splits"]["test"]["reliability"],
        "papers": metrics["papers"],
    }
    return [(key, title) for key, title in SECTIONS.items() if optional.get(key, True)]


def _plots(metrics: Metrics) -> dict[str, str]:
    """Draw the plots as SVG, by name."""
    test, learned = metrics["splits"]["test"], metrics["learned"]
    counts = {(c["gold"], c["predicted"]): c["count"] for c in test["confusion"]}
    return {
        "confusion": plots.plot_confusion(counts, list(test["labels"])),
        "learning": plots.plot_learning(learned) if learned else "",
        "reliability": plots.plot_reliability(test["reliability"] or []),
        "risk": plots.plot_risk(test["risk_coverage"] or []),
    }


def render_audit(
    name: str, documents: Sequence[Document], suspects: Sequence[Suspect], shown: int
) -> str:
    """Render the sentences of a split whose annotation is most likely wrong.

    name (str): Name of the split.
    documents (Sequence[Document]): Its documents.
    suspects (Sequence[Suspect]): Its sentences, ranked by `label_errors.rank`.
    shown (int): Maximum number of sentences.
    RETURNS (str): HTML.
    """
    colours = label_colours(m.label for document in documents for m in document.gold)
    rows = []
    for suspect in suspects[:shown]:
        document = documents[suspect.document]
        words = document.words[suspect.start : suspect.end]
        rows.append(
            {
                "document": suspect.document,
                "doubt": suspect.doubt,
                "token": document.words[suspect.token],
                "gold": entities(words, _inside(document.gold, suspect), colours),
                "predicted": entities(words, _inside(document.predicted, suspect), colours),
            }
        )
    return _fill_in("audit.html", name=name, total=len(suspects), rows=rows)


def _inside(mentions: Iterable[Mention], suspect: Suspect) -> list[WordMention]:
    """Select the mentions that overlap a sentence, as ranges of its words."""
    start, end = suspect.start, suspect.end
    return [
        (max(start, m.start) - start, min(end, m.end) - start, m.label)
        for m in mentions
        if m.start < end and start < m.end
    ]


def _fill_in(template: str, **values: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template).render(**values)


def entities(words: Sequence[str], mentions: Iterable[WordMention], colours: dict[str, str]) -> str:
    """Highlight mentions in a sentence.

    words (Sequence[str]): The words.
    mentions (Iterable[tuple[int, int, str]]): Half-open ranges of words, with labels.
    colours (dict[str, str]): A background for each label.
    RETURNS (str): HTML in which words and labels are escaped.
    """
    starts, text = [], ""
    for word in words:
        starts.append(len(text))
        text += word + " "
    spans: list[Highlight] = [
        {"start": starts[start], "end": starts[end - 1] + len(words[end - 1]), "label": label}
        for start, end, label in mentions
    ]
    return highlight(text.strip(" "), spans, colours)
