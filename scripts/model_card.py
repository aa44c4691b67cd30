"""The model card: what a packaged pipeline is, how good it is, and what it is not good for."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from thinc.api import Config

LEARNING = ("components", "training")  # the sections of a config that decide what is learned


def model_card(meta: dict[str, Any], metrics: dict[str, Any], config: Config) -> str:
    """Write the README.md of a package.

    meta (dict[str, Any]): The package's meta.json.
    metrics (dict[str, Any]): What `scripts.report` wrote of the pipeline.
    config (Config): The pipeline's config.cfg, not interpolated.
    RETURNS (str): Markdown.
    RAISES (KeyError): If the metrics are not a report's.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": _cell, "pct": _percent}
    test = metrics["splits"]["test"]
    return environment.get_template("model_card.md").render(
        name=f"{meta['lang']}_{meta['name']}",
        meta=meta,
        corpus=meta.get("corpus", {}),
        training=meta["training"],
        metrics=metrics,
        test=test,
        sample=metrics["source"]["kind"] == "sample",
        confidence=metrics["scores"]["test"]["confidence"],
        changed={"as running text": metrics["raw_text"], **metrics["robustness"]},
        settings=Config({key: config[key] for key in LEARNING}).to_str(interpolate=False).strip(),
    )


def _cell(value: Any) -> str:
    """A text that cannot end its cell of a table, or begin HTML."""
    text = " ".join(str(value).split())
    for character, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "'")):
        text = text.replace(character, safe)
    return text


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"
