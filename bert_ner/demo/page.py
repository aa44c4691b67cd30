"""The page, which Streamlit runs anew at every click. `python -m scripts.app` starts it."""

import sys
from pathlib import Path

import streamlit as st
from spacy.language import Language

from bert_ner import html, palette
from bert_ner.annotation.annotator import Annotation, labels_of
from bert_ner.demo import pipelines, rows
from bert_ner.demo.examples import examples_for
from bert_ner.errors import InputError

STYLE = Path(__file__).with_name("page.css")


@st.cache_resource(max_entries=4, show_spinner="Loading the pipeline …")
def load(name: str) -> Language:
    """Load a pipeline once for all visitors."""
    return pipelines.load(name)


def about(nlp: Language) -> None:
    """Say what a pipeline was trained on and how good it is."""
    st.caption(html.plain(pipelines.describe(nlp)))
    measured, scores = pipelines.scores_of(nlp)
    with st.expander("How good is it?"):
        if not scores:
            st.write("This pipeline comes without scores.")
            return
        st.html(html.table("Scores", ["entities"], ["precision", "recall", "F1"], scores))
        st.caption(html.plain(measured))


def take(text: str | None = None) -> None:
    """Ask for what stands in the text area, or put an example there and ask for that."""
    if text is not None:
        st.session_state["text"] = text
    st.session_state["asked"] = st.session_state["text"]


def ask(labels: list[str]) -> str | None:
    """Let the visitor type or choose a text; returns it once it is asked for."""
    with st.form("ask", border=False):
        st.text_area(
            "Text",
            key="text",
            height=160,
            placeholder=f"Type or paste up to {pipelines.LIMIT:,} characters.",
        )
        st.form_submit_button("Annotate", type="primary", on_click=take)
    asked: str | None = st.session_state.get("asked")
    if examples := examples_for(labels):
        with st.expander("Examples", expanded=asked is None):
            for example in examples:
                st.button(html.plain(example), type="tertiary", on_click=take, args=(example,))
    return asked


def annotation_of(name: str, nlp: Language, text: str) -> Annotation:
    """Annotate a text, once: filters run this page again, not the pipeline."""
    if st.session_state.get("annotated") != (name, text):
        with st.spinner("Annotating …"):
            st.session_state["annotation"] = pipelines.annotate_text(nlp, text)
        st.session_state["annotated"] = (name, text)
    annotation: Annotation = st.session_state["annotation"]
    return annotation


def narrow(annotation: Annotation) -> Annotation:
    """Let the visitor leave out entities. With another text or pipeline, it begins anew."""
    key = hash(st.session_state["annotated"])
    left, right = st.columns(2, gap="medium")
    least = 0.0
    if rows.has_confidence(annotation):
        least = left.slider("Least confidence", 0.0, 1.0, 0.0, 0.01, key=f"least {key}")
    else:
        left.caption("No confidence to filter by: this pipeline does not say how sure it is.")
    found = rows.labels_in(annotation)
    labels = right.multiselect("Labels", found, placeholder="All labels", key=f"labels {key}")
    return rows.keep(annotation, least=least, labels=labels)


def show(annotation: Annotation, labels: list[str]) -> None:
    """Show what was found, and offer it for download."""
    st.subheader("Entities", anchor=False)
    if not annotation["spans"]:
        st.info("No entities found in this text.")
    kept = narrow(annotation) if annotation["spans"] else annotation
    colour = palette.label_colours([*labels, *rows.labels_in(annotation)])
    st.html(html.highlight(kept["text"], kept["spans"], colour))
    st.caption(f"{len(kept['spans']):,} of {len(annotation['spans']):,} entities shown")
    if kept["spans"]:
        numbers = ["confidence", "start", "end"]
        st.html(html.table("Entities", ["entity", "label"], numbers, rows.rows(kept)))
    with st.container(horizontal=True):
        download("Download CSV", rows.to_csv(kept), "entities.csv")
        download("Download JSON lines", rows.to_json_lines(kept), "annotation.jsonl")


def download(label: str, content: str, file: str) -> None:
    """Offer a file, without running the page again."""
    st.download_button(label, content, file_name=file, mime="text/plain", on_click="ignore")


def main(names: list[str]) -> None:
    """Show the page.

    names (list[str]): The pipelines to choose from, installed or folders.
    """
    st.set_page_config(page_title="Find entities in a text")
    st.html(STYLE)
    st.title("Find entities in a text", anchor=False)
    name = st.selectbox("Pipeline", names)
    try:
        nlp = load(name)
        about(nlp)
        labels = labels_of(nlp)
        text = ask(labels)
        if text is not None:
            show(annotation_of(name, nlp, text), labels)
    except InputError as error:
        st.error(html.plain(str(error)))


if __name__ == "__main__":
    main(sys.argv[1:])
