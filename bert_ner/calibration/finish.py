"""Finishes a trained pipeline: merges adapters, calibrates confidence on dev, saves memory.

A finished pipeline deletes the encoder's output from a document when it has found the
entities. The output takes 2 to 3 kB per word.
"""

from pathlib import Path

from spacy.language import Language
from thinc.api import Config

from ..devices import use_device
from ..files import replacing, require, write_json
from ..loading import find_entity_pipe, load_examples, load_pipeline
from ..pipes.confidence import Calibration
from .fit import MIN_MENTIONS, describe, fit, predict_mentions
from .records import CalibrationRecord, FinishRecord


def calibrate_pipeline(model: Path, data: Path, output: Path, *, gpu: int = -1) -> FinishRecord:
    """Write a finished copy of a trained pipeline.

    model (Path): The trained pipeline.
    data (Path): Folder of the converted corpus. Only train and dev are read.
    output (Path): Output folder. It appears complete or not at all.
    gpu (int): Number of the GPU, -1 for the CPU.
    RETURNS (FinishRecord): The number of merged adapters, and the effect of the
        calibration. Also written to finish.json in the output folder.
    RAISES (InputError): If the pipeline or the corpus does not exist.
    """
    require(model / "meta.json", data / "train.spacy", data / "dev.spacy")
    use_device(gpu)
    nlp = load_pipeline(model)
    merged = _merge_adapters(nlp)
    record = FinishRecord(merged_adapters=merged, calibration=_calibrate(nlp, data))
    if "transformer" in nlp.pipe_names:
        nlp.add_pipe("doc_cleaner", config={"attrs": {"_.trf_data": None}})
    with replacing(output) as partial:
        nlp.to_disk(partial)
        if merged:
            _remove_adapters(partial / "config.cfg")
        write_json(partial / "finish.json", record)
    return record


def _merge_adapters(nlp: Language) -> int:
    """Merge the adapters of every encoder. Returns their number."""
    nodes = [n for _, pipe in nlp.components if hasattr(pipe, "model") for n in pipe.model.walk()]
    shims = [shim for node in nodes for shim in node.shims]
    return sum(shim.merge() for shim in shims if getattr(shim, "lora", None))


def _remove_adapters(path: Path) -> None:
    """Change a finished pipeline's config to an encoder without adapters."""
    config = Config().from_disk(path, interpolate=False)
    for component in config["components"].values():
        if "lora_rank" in component.get("model", {}):
            component["model"]["lora_rank"] = 0
    config.to_disk(path)


def _calibrate(nlp: Language, data: Path) -> CalibrationRecord | None:
    """Calibrate the component that gives entities a confidence, if there is one."""
    pipe = find_entity_pipe(nlp)
    if pipe is None:
        return None
    train, dev = (load_examples(nlp, data / f"{split}.spacy") for split in ("train", "dev"))
    seen = Calibration().with_seen(
        (ent.text, ent.label_) for example in train for ent in example.reference.ents
    )
    predictions = predict_mentions(nlp, pipe, dev)
    if len(predictions) < MIN_MENTIONS:
        pipe.calibration = Calibration()
        return CalibrationRecord(mentions=len(predictions))
    pipe.calibration = fitted = fit(predictions, seen)
    gold = sum(len(example.reference.ents) for example in dev)
    return describe(predictions, fitted, gold)
