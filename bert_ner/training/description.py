"""Description of a trained pipeline: its meta.json, and names in place of local paths."""

from pathlib import Path

from thinc.api import Config

from ..files import read_json, replacing, write_json
from ..loading import load_pipeline
from .plan import TrainingPlan
from .records import TrainingRecord


def describe_model(model: Path, plan: TrainingPlan, record: TrainingRecord) -> None:
    """Describe a trained pipeline in its meta.json, and remove the paths of this machine.

    model (Path): The pipeline's folder.
    plan (TrainingPlan): The plan of its training.
    record (TrainingRecord): The record of its training.
    """
    _write_meta(model, plan, record)
    _restore_config(model, plan)
    _rename_encoder(model, plan)


def _write_meta(model: Path, plan: TrainingPlan, record: TrainingRecord) -> None:
    corpus, source, encoder = plan.corpus, plan.source, plan.encoder
    meta = read_json(model / "meta.json")
    meta |= {
        "name": corpus.pipeline,
        "description": f"{corpus.description} Trained on: {source.title}.",
        "author": "the en_bert_ner project",
        "license": "MIT; encoder and corpus as under sources",
        "sources": [
            {"name": source.title, "url": source.url, "license": source.licence},
            {"name": encoder.name, "url": encoder.url, "license": encoder.licence},
        ],
        "corpus": {
            "kind": source.kind,
            "where": source.where,
            "files": source.files,
            "paper": corpus.paper,
            "labels": dict(corpus.labels),
            "example": corpus.example,
        },
        "training": record,
    }
    write_json(model / "meta.json", meta)


def _restore_config(model: Path, plan: TrainingPlan) -> None:
    """Write the encoder's name and the recipe's own paths and logger into config.cfg."""
    config = Config().from_disk(model / "config.cfg", interpolate=False)
    config["components"]["transformer"]["model"]["name"] = plan.encoder.name
    config["paths"] = plan.recipe.config["paths"]
    config["training"]["logger"] = plan.recipe.config["training"]["logger"]
    with replacing(model / "config.cfg") as partial:
        config.to_disk(partial)


def _rename_encoder(model: Path, plan: TrainingPlan) -> None:
    """Write the encoder's name for its folder into the stored transformer."""
    encoder = plan.encoder
    transformer = load_pipeline(model).get_pipe("transformer")
    for node in transformer.model.walk():
        if node.attrs.get("name") == str(encoder.path):
            node.attrs["name"] = encoder.name
        for shim in node.shims:
            shim._hfmodel.transformer.config._name_or_path = encoder.name
    transformer.to_disk(model / "transformer")
