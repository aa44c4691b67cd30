"""The pages in headless Chromium: nothing runs, nothing is fetched, all of it can be read."""

from pathlib import Path

import pytest
import spacy
from playwright.sync_api import Browser
from spacy.tokens import Doc, DocBin

from bert_ner.evaluation.documents import read_documents
from bert_ner.evaluation.evaluate import evaluate
from bert_ner.evaluation.label_errors import Suspect
from bert_ner.evaluation.page import render_audit
from bert_ner.files import write_json
from bert_ner.loading import load_examples
from tests.evaluation.helpers import SOURCE, Evaluated

LABEL = "<img src=x onerror=document.title='hacked'>"
WORDS = ["<script>document.title='hacked'</script>", "</svg><b>x", "Oslo" * 60, "&lt;"]
WIDTHS = (1280, 400)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report and an audit of a corpus whose words and labels are HTML."""
    tmp_path = tmp_path_factory.mktemp("hostile")
    nlp = spacy.blank("en")
    patterns = [{"label": LABEL, "pattern": [{"ORTH": WORDS[1]}]}, {"label": "B", "pattern": "x"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(tmp_path / "pipeline")
    data = tmp_path / "corpus"
    data.mkdir()
    docs = [
        Doc(nlp.vocab, words=WORDS, ents=[f"B-{LABEL}", "O", "B-B", "O"], sent_starts=[1, 0, 0, 0])
        for _ in range(3)
    ]
    for split in ("train", "dev", "test"):
        stored = DocBin(attrs=["SENT_START", "ENT_IOB", "ENT_TYPE"], docs=docs)
        stored.to_disk(data / f"{split}.spacy")
    write_json(data / "source.json", {**SOURCE, "title": LABEL, "where": WORDS[0]})
    evaluate(tmp_path / "pipeline", data, tmp_path / "m.json", tmp_path / "report.html")
    examples = load_examples(nlp, data / "test.spacy")
    suspects = [Suspect(0, 0, 4, doubt=3.0, token=0)]
    audit = render_audit(LABEL, read_documents(examples), suspects, 9)
    (tmp_path / "audit.html").write_text(audit, encoding="utf-8")
    return [tmp_path / "report.html", tmp_path / "audit.html"]


def check(chromium: Browser, path: Path, width: int) -> str:
    """Open a page and check that it runs and fetches nothing; returns the visible text."""
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(200)
    assert messages == []
    assert requests == [path.as_uri()]
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.querySelectorAll('[onerror], img').length") == 0
    assert "hacked" not in page.title() or "<img" in page.title()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('p, td, th')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12
    drawn = page.evaluate(
        "Math.min(99, ...[...document.querySelectorAll('svg text')]"
        ".map(e => e.getBoundingClientRect().height))"
    )
    assert drawn >= 11
    text = str(page.inner_text("body"))
    context.close()
    return text


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_words_and_labels_stay_text(
    chromium: Browser, hostile: list[Path], width: int
) -> None:
    for path in hostile:
        text = check(chromium, path, width)
        assert WORDS[0] in text
        assert LABEL.lower() in text.lower()


@pytest.mark.parametrize("width", WIDTHS)
def test_report_of_a_token_classifier(chromium: Browser, evaluated: Evaluated, width: int) -> None:
    text = check(chromium, evaluated.page, width)
    for heading in ("Scores", "Errors", "Learning curve", "Reliability of the confidence"):
        assert heading in text
