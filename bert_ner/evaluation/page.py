"""The report as one page that needs nothing from elsewhere."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from spacy import displacy

from . import plots
from .documents import Document
from .label_errors import Suspect

# Light enough for black text; labels take them in turn.
COLOURS = (
    *("#bfdbfe", "#fed7aa", "#bbf7d0", "#fbcfe8", "#ddd6fe", "#fde68a"),
    *("#a5f3fc", "#fecaca", "#d9f99d", "#e9d5ff", "#c7d2fe", "#e7e5e4"),
)
SECTIONS = {
    "scores": "Scores",
    "sure": "How sure",
    "errors": "Where it fails",
    "worst": "Worst errors",
    "learned": "How it learned",
    "trust": "Confidence",
    "real": "Other text",
    "papers": "Papers",
}


def render(metrics: dict[str, Any], worst: Sequence[dict[str, Any]]) -> str:
    """Render a report.

    metrics (dict[str, Any]): What `bert_ner.evaluation.report` writes.
    worst (Sequence[dict[str, Any]]): What `errors.worst_errors` gives; it has text of
        the corpus, which the metrics do not.
    RETURNS (str): HTML.
    """
    test, learned = metrics["splits"]["test"], metrics["learned"]
    labels = list(test["labels"])
    colours = dict(zip(labels, COLOURS * len(labels), strict=False))
    confusion = {(c["gold"], c["predicted"]): c["count"] for c in test["confusion"]}
    shown = {
        "scores": True,
        "sure": bool(metrics["seeds"] or metrics["against"]),
        "errors": True,
        "worst": bool(worst),
        "learned": bool(learned),
        "trust": bool(test["reliability"]),
        "real": True,
        "papers": bool(metrics["papers"]),
    }
    return _fill_in(
        "report.html",
        **{key: metrics[key] for key in ("pipeline", "source", "trained_on", "training")},
        **{key: metrics[key] for key in ("machine", "date", "against", "seeds", "papers")},
        is_sample=metrics["source"]["kind"] == "sample",
        sections=[(key, title) for key, title in SECTIONS.items() if shown[key]],
        test=test,
        dev=metrics["splits"]["dev"],
        confidence=metrics["scores"]["test"]["confidence"],
        errors_total=max(1, sum(test["errors"].values())),
        learned=learned,
        real={"running text": metrics["raw_text"], **metrics["robustness"]},
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
        plots={
            "confusion": plots.plot_confusion(confusion, labels),
            "learning": plots.plot_learning(learned) if learned else "",
            "reliability": plots.plot_reliability(test["reliability"] or []),
            "risk": plots.plot_risk(test["risk_coverage"] or []),
        },
    )


def render_audit(
    name: str, documents: Sequence[Document], suspects: Sequence[Suspect], shown: int
) -> str:
    """Render the most suspect sentences of a split.

    name (str): The split's name for people.
    documents (Sequence[Document]): Its documents.
    suspects (Sequence[Suspect]): What `audit.rank` gives.
    shown (int): How many sentences to show at most.
    RETURNS (str): HTML.
    """
    labels = sorted({m.label for document in documents for m in document.gold})
    colours = dict(zip(labels, COLOURS * len(labels), strict=False))
    rows = []
    for suspect in suspects[:shown]:
        document = documents[suspect.document]
        words = document.words[suspect.start : suspect.end]
        sides = {
            side: [
                (max(0, m.start - suspect.start), min(len(words), m.end - suspect.start), m.label)
                for m in document.inside(mentions, suspect.start, suspect.end)
            ]
            for side, mentions in (("gold", document.gold), ("predicted", document.predicted))
        }
        rows.append(
            {
                "document": suspect.document,
                "doubt": suspect.doubt,
                "token": document.words[suspect.token],
                **{side: entities(words, found, colours) for side, found in sides.items()},
            }
        )
    return _fill_in("audit.html", name=name, total=len(suspects), rows=rows)


def _fill_in(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template).render(**values)


def entities(
    words: Sequence[str], mentions: Sequence[tuple[int, int, str]], colours: dict[str, str]
) -> str:
    """Words with their mentions marked, by displaCy.

    words (Sequence[str]): The words.
    mentions (Sequence[tuple[int, int, str]]): Half-open ranges of them, and labels.
    colours (dict[str, str]): A colour for each label.
    RETURNS (str): HTML, in which words and labels are text, whatever they hold.
    """
    starts, text = [], ""
    for word in words:
        starts.append(len(text))
        text += word + " "
    marked = [
        # displaCy escapes the text, but not labels
        {
            "start": starts[start],
            "end": starts[end - 1] + len(words[end - 1]),
            "label": html.escape(label),
        }
        for start, end, label in mentions
    ]
    safe = {html.escape(label).upper(): colour for label, colour in colours.items()}
    rendered: str = displacy.render(
        [{"text": text.strip(), "ents": marked, "title": None}],
        style="ent",
        manual=True,
        jupyter=False,
        options={"colors": safe},
    )
    return rendered
