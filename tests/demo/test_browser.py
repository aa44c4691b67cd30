"""The demo in headless Chromium, from the command to the downloaded file."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect

from bert_ner.files import read_json
from tests.demo.helpers import LABEL, App

TEXT = "Anna left Oslo\nfor Telvar."
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> </div></mark> ![x](http://x.invalid/y)"
    "  evil \t Oslo &lt; 🚢Ark  \n  سلمى في Oslo\n"
)
BROKEN, MOVIES = (f"training/config/{name}/pipeline" for name in ("broken", "mit_movie"))
TIMEOUT = 15_000  # milliseconds, for a busy machine
expect.set_options(timeout=TIMEOUT)
pytestmark = pytest.mark.slow
CONTRAST = Path(__file__).with_name("contrast.js").read_text()


@contextmanager
def opened(
    chromium: Browser, app: App, *, width: int = 1280, theme: str = "light"
) -> Iterator[Page]:
    """Open the page; check that it logs nothing, runs no script and loads no other address."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    messages: list[str] = []
    urls: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.on("request", lambda request: urls.append(request.url))
    page.on("websocket", lambda socket: urls.append(socket.url.replace("ws:", "http:")))
    page.goto(app.url)
    expect(page.get_by_label("Text", exact=True)).to_be_visible(timeout=2 * TIMEOUT)
    yield page
    assert messages == []
    own = (app.url, "data:", f"blob:{app.url}")
    assert [url for url in urls if not url.startswith(own)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def annotate(page: Page, text: str) -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Annotate").click()


def settle(page: Page) -> None:
    """Wait until the page is complete, so that it does not change under a click."""
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")


def choose(page: Page, box: str, option: str) -> None:
    settle(page)
    item = page.get_by_role("option", name=option)
    for _ in range(5):  # a list closes if the page grows after it opens
        page.get_by_role("combobox", name=box).click()
        with suppress(Error):
            item.click(timeout=TIMEOUT / 5)
            page.keyboard.press("Escape")
            return
    raise AssertionError(f"no {option!r} to choose among {box}")


def marked(page: Page) -> Locator:
    return page.locator(".annotated mark bdi")


def download(page: Page, name: str, folder: Path) -> Path:
    settle(page)
    with page.expect_download() as started:
        page.get_by_role("button", name=name).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_filters_do_not_run_the_pipeline_again(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:
        before = app.count_runs()
        annotate(page, TEXT)
        expect(marked(page)).to_have_text(["Anna", "Oslo", "Telvar"])
        expect(page.locator(".annotated mark span")).to_have_text(
            ["PER 0.60", "LOC 0.95", "ORG 0.30"]
        )
        for _ in range(4):  # a tenth each
            page.get_by_role("slider").press("PageUp")
        expect(marked(page)).to_have_text(["Anna", "Oslo"])
        expect(page.get_by_text("2 of 3 entities shown")).to_be_visible()
        choose(page, "Labels", "LOC")
        expect(marked(page)).to_have_text(["Oslo"])
        cells = page.get_by_role("region", name="Entities").locator("td")
        expect(cells).to_have_text(["Oslo", "LOC", "0.9500", "10", "14"])
        assert page.locator(".annotated").inner_text().startswith("Anna left Oslo")
        assert app.count_runs() == before + 1


def test_filters_are_reset_for_another_text(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:
        annotate(page, "Anna left Oslo")
        expect(marked(page)).to_have_text(["Anna", "Oslo"])
        choose(page, "Labels", "LOC")
        expect(marked(page)).to_have_text(["Oslo"])
        page.get_by_role("slider").press("End")
        expect(marked(page)).to_have_count(0)
        annotate(page, "Oslo left Anna")
        expect(marked(page)).to_have_text(["Oslo", "Anna"])


def test_examples_and_the_description_of_the_pipeline(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:
        expect(page.get_by_text("Trained on: <b>six words.")).to_be_visible()
        expect(page.get_by_text("generated by a program")).to_be_visible()
        page.get_by_text("How good is it?").click()
        scores = page.get_by_role("region", name="Scores").locator("tr")
        expect(scores).to_have_count(4)
        expect(scores.nth(1).locator("td")).to_have_text(["all", "0.9100", "0.8200", "0.8600"])
        expect(page.get_by_text("Strict entity scores on the test split.")).to_be_visible()
        page.get_by_role("button", name="Shares of Halden Marine").click()
        expect(marked(page)).to_have_text(["Oslo"])
        assert page.get_by_label("Text", exact=True).input_value().startswith("Shares of Halden")


def test_downloads_have_the_entities_that_are_shown(
    chromium: Browser, app: App, tmp_path: Path
) -> None:
    text = "  Ann 🚢Ark,\n\n\tسلمى في Oslo & Telvar  "
    with opened(chromium, app) as page:
        annotate(page, text)
        expect(marked(page)).to_have_text(["Ark", "سلمى", "Oslo", "Telvar"])
        page.get_by_role("slider").press("End")
        expect(marked(page)).to_have_count(0)
        for value in ("0.90", "0.80", "0.70", "0.60"):
            # the page may ask for a file that the next run has already removed
            page.get_by_role("slider").press("PageDown")
            expect(page.get_by_test_id("stSliderThumbValue")).to_have_text(value)
            page.wait_for_timeout(500)
            settle(page)
        expect(marked(page)).to_have_count(3)
        with download(page, "Download CSV", tmp_path).open(
            encoding="utf-8-sig", newline=""
        ) as file:
            rows = list(csv.DictReader(file))
        annotation = read_json(download(page, "Download JSON lines", tmp_path))
    expected = [("Ark", "MISC", 0.8), ("سلمى", "PER", 0.9), ("Oslo", "LOC", 0.95)]
    assert [(r["entity"], r["label"], float(r["confidence"])) for r in rows] == expected
    assert [text[int(r["start"]) : int(r["end"])] for r in rows] == [e for e, _, _ in expected]
    assert annotation["text"] == text
    spans = [(text[s["start"] : s["end"]], s["label"], s["score"]) for s in annotation["spans"]]
    assert spans == expected
    tokens = annotation["tokens"]
    assert [tokens[s["token_start"]]["text"] for s in annotation["spans"]] == [
        e for e, _, _ in expected
    ]
    assert json.loads((tmp_path / "annotation.jsonl").read_text().splitlines()[0]) == annotation


def test_hostile_text_and_labels_stay_text(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:
        annotate(page, HOSTILE)
        expect(marked(page)).to_have_text(["evil", "Oslo", "Ark", "سلمى", "Oslo"])
        shown = page.locator(".annotated").evaluate(
            "e => { const c = e.cloneNode(true);"
            " c.querySelectorAll('mark span').forEach(x => x.remove()); return c.textContent }"
        )
        assert shown == HOSTILE
        expect(page.locator(".annotated mark span").first).to_have_text(f"{LABEL} 0.50")
        choose(page, "Labels", LABEL)
        expect(marked(page)).to_have_text(["evil"])
        assert page.locator("[onerror], .annotated img, .table img, .annotated script").count() == 0
        annotate(page, "unbearable <script>alert(1)</script>")
        expect(page.get_by_role("alert")).to_have_text(
            "The pipeline failed on this text. RuntimeError: cannot bear <b>it</b>"
        )


def test_texts_are_limited(chromium: Browser, app: App) -> None:
    long = ("Oslo <b> Anna " + "x" * 985 + " ") * 100
    with opened(chromium, app, width=400) as page:
        annotate(page, long)
        expect(page.get_by_text("200 of 200 entities shown")).to_be_visible()
        assert len(long) == 100_000
        before = app.count_runs()
        annotate(page, long + "y")
        expect(page.get_by_role("alert")).to_have_text(
            "The text has 100,001 characters, and this page accepts 100,000. Shorten it."
        )
        annotate(page, " \n ")
        expect(page.get_by_role("alert")).to_contain_text("There is no text yet.")
        assert app.count_runs() == before


def test_another_pipeline_can_be_chosen(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:
        page.get_by_role("combobox", name="Pipeline").click()
        expect(page.get_by_role("option")).to_have_text(["en_six_words", BROKEN, MOVIES])
        page.get_by_role("option", name="mit_movie").click()
        page.get_by_role("button", name="is there a pg-13 western").click()
        expect(marked(page)).to_have_text(["western"])
        expect(page.get_by_text("gives no confidence")).to_be_visible()
        expect(page.get_by_role("slider")).to_have_count(0)
        choose(page, "Pipeline", "broken")
        expect(page.get_by_role("alert")).to_contain_text(
            "training/config/broken/pipeline: not a pipeline that can be loaded: "
        )
        choose(page, "Pipeline", "en_six_words")
        expect(page.get_by_text("No entities found in this text.")).to_be_visible()


def test_the_keyboard_is_enough(chromium: Browser, app: App) -> None:
    with opened(chromium, app) as page:

        def tab_to(name: str) -> None:
            page.keyboard.press("Tab")
            assert page.evaluate(FOCUSED) == [name, True]

        for name in ("Skip to main content", "main", "Pipeline", "How good is it?", "Text"):
            tab_to(name)
        page.keyboard.type(TEXT)
        page.keyboard.press("Control+Enter")
        expect(marked(page)).to_have_text(["Anna", "Oslo", "Telvar"])
        expect(page.get_by_role("combobox", name="Labels")).to_be_attached()
        settle(page)
        for name in ("Annotate", "Examples", "Minimum confidence"):
            tab_to(name)
        for _ in range(4):
            page.keyboard.press("PageUp")
        expect(marked(page)).to_have_text(["Anna", "Oslo"])
        tab_to("Labels")
        page.keyboard.type("LOC")
        page.keyboard.press("Enter")
        expect(marked(page)).to_have_text(["Oslo"])
        page.keyboard.press("Escape")
        for name in ("Clear all", "Entities", "Download CSV"):
            tab_to(name)
        settle(page)
        with page.expect_download():
            page.keyboard.press("Enter")


# The name of the focused element, and whether its focus is visible.
FOCUSED = """() => {
  const focused = document.activeElement
  const name = focused.ariaLabel ?? focused.innerText.trim().split('\\n').pop()
  let seen = false
  for (let e = focused, i = 0; e && i < 3; e = e.parentElement, i++) {
    const style = getComputedStyle(e)
    const outlined = style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2
    seen ||= outlined && e.getBoundingClientRect().width > 5
  }
  return [focused.tagName == 'MAIN' ? 'main' : name, seen]
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_all_text_is_legible(chromium: Browser, app: App, width: int, theme: str) -> None:
    with opened(chromium, app, width=width, theme=theme) as page:
        page.get_by_text("How good is it?").click()
        annotate(page, HOSTILE + "Oslo" * 60 + " " + TEXT)
        expect(marked(page)).to_have_count(8)
        expect(page.get_by_role("slider")).to_be_attached()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # until the effects of hovering fade
        assert page.evaluate(CONTRAST) == []
