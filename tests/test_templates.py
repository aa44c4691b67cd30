from pathlib import Path

import pytest
from jinja2 import UndefinedError

from bert_ner.templates import markdown_template


def test_template_is_filled_in_and_not_escaped(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("{% for item in items %}\n- {{ item | loud }}\n{% endfor %}\n")
    template = markdown_template(path, {"loud": str.upper})
    assert template.render(items=["<a>", "b"]) == "- <A>\n- B\n"
    with pytest.raises(UndefinedError):
        markdown_template(path, {"loud": str.upper}).render()
