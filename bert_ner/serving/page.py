"""The OpenAPI schema as a page that needs neither a script nor anything from elsewhere."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def render(schema: dict[str, Any]) -> str:
    """Render the page.

    schema (dict[str, Any]): The OpenAPI schema.
    RETURNS (str): HTML.
    """
    environment = Environment(
        loader=FileSystemLoader([HERE, HERE.parent / "evaluation"]),  # base.html is there
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = _kind
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template("page.html").render(
        info=schema["info"],
        security=bool(schema["components"].get("securitySchemes")),
        paths=schema["paths"],
        schemas=schema["components"]["schemas"],
    )


def _kind(field: dict[str, Any]) -> str:
    """What a value is, in words: `array of string, 0 or more, at most 32 items`."""
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"] if one.get("type") != "null")
    kind = str(field.get("type", "anything"))
    if "items" in field:
        kind += f" of {_kind(field['items'])}"
    limits = {
        "maxLength": "at most {:,} characters",
        "maxItems": "at most {:,} items",
        "minimum": "from {:g}",
        "maximum": "to {:g}",
    }
    return ", ".join([kind, *(said.format(field[k]) for k, said in limits.items() if k in field)])
