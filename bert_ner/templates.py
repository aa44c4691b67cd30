"""Loads Markdown templates, which are filled in from records."""

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def markdown_template(
    path: Path, filters: Mapping[str, Callable[..., str]] | None = None
) -> Template:
    """Load a template.

    path (Path): The file, in Jinja's language. Values are not escaped, and an
        undefined name is an error.
    filters (Mapping | None): Additional filters by name.
    RETURNS (Template): The template.
    """
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters or {}
    return environment.get_template(path.name)
