"""The model card: what a packaged pipeline is, how good it is, and what it is not good for."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thinc.api import Config

from ..templates import markdown_template

LEARNING = ("components", "training")  # the sections of a config that decide what is learned


def model_card(meta: dict[str, Any], metrics: dict[str, Any], config: Config) -> str:
    """Write the README.md of a package.

    meta (dict[str, Any]): The package's meta.json.
    metrics (dict[str, Any]): What `bert_ner.evaluation.report` wrote of the pipeline.
    config (Config): The pipeline's config.cfg, not interpolated.
    RETURNS (str): Markdown.
    RAISES (KeyError): If the metrics are not a report's.
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
    known = {label for labels in meta["labels"].values() for label in labels}
    return template.render(
        name=f"{meta['lang']}_{meta['name']}",
        meta=meta,
        corpus=meta.get("corpus", {}),
        training=meta["training"],
        metrics=metrics,
        test=test,
        labels={label: test["labels"].get(label) for label in sorted(known | set(test["labels"]))},
        known=known,
        made_up=meta.get("corpus", {}).get("kind") == "sample",
        confidence=metrics["scores"]["test"]["confidence"],
        changed={"as running text": metrics["raw_text"], **metrics["robustness"]},
        settings=Config({key: config[key] for key in LEARNING}).to_str(interpolate=False).strip(),
    )


def _cell(value: Any) -> str:
    """A text that stays text in Markdown, and in its cell of a table."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", text)


def _code(value: Any) -> str:
    """A text in a code span, which knows no escapes but for the end of a cell."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("`", "'")


def _link(source: dict[str, Any]) -> str:
    """The name of a source, with its address if that is one of a page."""
    name, url = _cell(source["name"]), str(source.get("url") or "")
    return f"[{name}]({url})" if re.fullmatch(r"https?://[^\s()<>|]+", url) else name


def _bibtex(value: Any) -> str:
    """A text for a field of BibTeX."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[\\{}]", "", str(value)))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"
