"""The model card of a packaged pipeline: its use, its scores, its limits."""

import re
from collections.abc import Callable
from pathlib import Path

from thinc.api import Config

from ..evaluation.records import Metrics
from ..templates import markdown_template
from .records import CorpusMeta, Meta, SourceMeta

LEARNING = ("components", "training")  # the sections of a config that decide what is learned
EXAMPLE = "Maria Olsen of the World Bank flew from Nairobi to Berlin."


def model_card(meta: Meta, metrics: Metrics, config: Config) -> str:
    """Write the README.md of a package.

    meta (Meta): The package's meta.json.
    metrics (Metrics): The pipeline's scores, evaluated with a page.
    config (Config): The pipeline's config.cfg, not interpolated.
    RETURNS (str): Markdown.
    RAISES (KeyError): If the metrics were made without a page.
    """
    filters: dict[str, Callable[..., str]] = {
        "cell": _cell,
        "code": _code,
        "link": _link,
        "bibtex": _bibtex,
        "pct": _percent,
    }
    template = markdown_template(Path(__file__).parent / "model_card.md", filters)
    test = metrics["splits"]["test"]
    corpus: CorpusMeta = meta.get("corpus", {})
    known = {label for labels in meta["labels"].values() for label in labels}
    return template.render(
        name=f"{meta['lang']}_{meta['name']}",
        meta=meta,
        corpus=corpus,
        example=corpus.get("example") or EXAMPLE,
        training=meta["training"],
        metrics=metrics,
        test=test,
        labels={label: test["labels"].get(label) for label in sorted(known | set(test["labels"]))},
        known=known,
        made_up=corpus.get("kind") == "sample",
        confidence=metrics["scores"]["test"]["confidence"],
        changed={"as running text": metrics["raw_text"], **metrics["robustness"]},
        settings=Config({key: config[key] for key in LEARNING}).to_str(interpolate=False).strip(),
    )


def _cell(value: object) -> str:
    """A text that stays plain text in a cell of a Markdown table."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", text)


def _code(value: object) -> str:
    """A text in a code span, where only the end of a cell can be escaped."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("`", "'")


def _link(source: SourceMeta) -> str:
    """The name of a source, linked if it has a web address."""
    name, url = _cell(source["name"]), str(source.get("url") or "")
    return f"[{name}]({url})" if re.fullmatch(r"https?://[^\s()<>|]+", url) else name


def _bibtex(value: object) -> str:
    """A text in a BibTeX field."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[\\{}]", "", str(value)))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"
