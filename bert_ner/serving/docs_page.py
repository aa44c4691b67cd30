"""The page `/docs`: the OpenAPI schema as HTML, without scripts or external files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

Schema = Mapping[str, Any]


def render(schema: Schema) -> str:
    """Render the page.

    schema (Mapping): The OpenAPI schema.
    RETURNS (str): HTML.
    """
    environment = Environment(
        loader=FileSystemLoader([HERE, HERE.parent / "evaluation"]),  # for base.html
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = describe_type
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template("docs_page.html").render(
        info=schema["info"],
        security=bool(schema["components"].get("securitySchemes")),
        paths=schema["paths"],
        schemas=schema["components"]["schemas"],
    )


def describe_type(field: Schema) -> str:
    """Describe a field's type: `array of string, at most 32 items`."""
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        kinds = (describe_type(one) for one in field["anyOf"] if one.get("type") != "null")
        return " or ".join(kinds)
    kind = str(field.get("type", "anything"))
    if "items" in field:
        kind += f" of {describe_type(field['items'])}"
    limits = {
        "maxLength": "at most {:,} characters",
        "maxItems": "at most {:,} items",
        "minimum": "from {:g}",
        "maximum": "to {:g}",
    }
    shown = [text.format(field[key]) for key, text in limits.items() if key in field]
    return ", ".join([kind, *shown])
