"""The page of the demo. `python -m scripts.app` starts it; Streamlit runs it at every click."""

import sys
from pathlib import Path

import streamlit as st
from spacy.language import Language

from bert_ner import html, palette
from bert_ner.annotation.annotator import labels_of
from bert_ner.annotation.records import Annotation
from bert_ner.demo import entities, pipelines
from bert_ner.demo.examples import examples_for
from bert_ner.errors import InputError

STYLE = Path(__file__).with_name("page.css")


@st.cache_resource(max_entries=4, show_spinner="Loading the pipeline …")
def load_pipeline(name: str) -> Language:
    """Load a pipeline once for all visitors."""
    return pipelines.load_pipeline(name)


def show_description(nlp: Language) -> None:
    """Show what a pipeline was trained on, and its scores."""
    st.caption(html.plain(pipelines.describe(nlp)))
    origin, scores = pipelines.scores_of(nlp)
    with st.expander("How good is it?"):
        if not scores:
            st.write("This pipeline comes without scores.")
            return
        st.html(html.table("Scores", ["entities"], ["precision", "recall", "F1"], scores))
        st.caption(html.plain(origin))


def submit_text(example: str | None = None) -> None:
    """Submit the content of the text area, after replacing it by an example if there is one."""
    if example is not None:
        st.session_state["text"] = example
    st.session_state["submitted"] = st.session_state["text"]


def text_input(labels: list[str]) -> str | None:
    """Show the text area and examples.

    labels (list[str]): Labels of the pipeline, to choose examples.
    RETURNS (str | None): The text that was submitted last, None before the first.
    """
    with st.form("text input", border=False):
        st.text_area(
            "Text",
            key="text",
            height=160,
            placeholder=f"Type or paste up to {pipelines.MAX_CHARS:,} characters.",
        )
        st.form_submit_button("Annotate", type="primary", on_click=submit_text)
    submitted: str | None = st.session_state.get("submitted")
    with st.expander("Examples", expanded=submitted is None):
        for example in examples_for(labels):
            st.button(html.plain(example), type="tertiary", on_click=submit_text, args=(example,))
    return submitted


def annotate_once(name: str, nlp: Language, text: str) -> Annotation:
    """Annotate a text, or return the last annotation if the text and the pipeline are the same."""
    if st.session_state.get("annotated") != (name, text):
        with st.spinner("Annotating …"):
            st.session_state["annotation"] = pipelines.annotate_text(nlp, text)
        st.session_state["annotated"] = (name, text)
    annotation: Annotation = st.session_state["annotation"]
    return annotation


def show_filters(annotation: Annotation) -> Annotation:
    """Show filters, which are reset for another text or pipeline.

    annotation (Annotation): All entities.
    RETURNS (Annotation): The entities that pass the filters.
    """
    key = hash(st.session_state["annotated"])
    left, right = st.columns(2, gap="medium")
    min_confidence = 0.0
    if entities.has_confidence(annotation):
        min_confidence = left.slider(
            "Minimum confidence", 0.0, 1.0, 0.0, 0.01, key=f"confidence {key}"
        )
    else:
        left.caption("This pipeline gives no confidence to filter by.")
    options = entities.labels_in(annotation)
    labels = right.multiselect("Labels", options, placeholder="All labels", key=f"labels {key}")
    return entities.filter_entities(annotation, min_confidence=min_confidence, labels=labels)


def show_entities(annotation: Annotation, labels: list[str]) -> None:
    """Show the entities in the text and as a table, with filters and downloads."""
    st.subheader("Entities", anchor=False)
    if not annotation["spans"]:
        st.info("No entities found in this text.")
    shown = show_filters(annotation) if annotation["spans"] else annotation
    colours = palette.label_colours([*labels, *entities.labels_in(annotation)])
    st.html(html.highlight(shown["text"], shown["spans"], colours))
    st.caption(f"{len(shown['spans']):,} of {len(annotation['spans']):,} entities shown")
    if shown["spans"]:
        numbers = ["confidence", "start", "end"]
        st.html(html.table("Entities", ["entity", "label"], numbers, entities.to_rows(shown)))
    with st.container(horizontal=True):
        show_download("Download CSV", entities.to_csv(shown), "entities.csv")
        show_download("Download JSON lines", entities.to_json_lines(shown), "annotation.jsonl")


def show_download(label: str, content: str, file: str) -> None:
    """Show a button that downloads a file without running the page again."""
    st.download_button(label, content, file_name=file, mime="text/plain", on_click="ignore")


def main(names: list[str]) -> None:
    """Show the page.

    names (list[str]): Names or folders of the pipelines to choose from.
    """
    st.set_page_config(page_title="Find entities in a text")
    st.html(STYLE)
    st.title("Find entities in a text", anchor=False)
    name = st.selectbox("Pipeline", names)
    try:
        nlp = load_pipeline(name)
        show_description(nlp)
        labels = labels_of(nlp)
        text = text_input(labels)
        if text is not None:
            show_entities(annotate_once(name, nlp, text), labels)
    except InputError as error:
        st.error(html.plain(str(error)))


if __name__ == "__main__":
    main(sys.argv[1:])
