"""Finish a trained pipeline: merge adapters, calibrate confidence on dev, let documents forget.

What a finished pipeline's documents forget, once their entities are found, is what the
encoder has put out: 2 to 3 kB a word.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.language import Language
from thinc.api import Config

from ..devices import choose_gpu, use_device
from ..errors import InputError
from ..files import replacing, write_json
from ..loading import load_examples, load_pipeline
from ..pipes.confidence import Calibration
from .fit import LEAST_MENTIONS, collect, describe, fit


def finish(model: Path, data: Path, output: Path, *, gpu: int = -1) -> dict[str, Any]:
    """Write the finished pipeline beside a trained one.

    model (Path): The trained pipeline.
    data (Path): The folder of the converted corpus, of which train and dev are read.
    output (Path): The folder to write. It appears whole or not at all.
    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (dict[str, Any]): How many adapters were merged, and what calibration
        did: see `bert_ner.calibration.fit.describe`. Also written to finish.json there.
    RAISES (InputError): If the pipeline or the corpus is not there.
    """
    for path in (model / "meta.json", data / "train.spacy", data / "dev.spacy"):
        if not path.exists():
            raise InputError(f"{path}: not found. Run the steps before this one first.")
    use_device(gpu)
    nlp = load_pipeline(model)
    record = {"merged_adapters": _merge_adapters(nlp), "calibration": _calibrate(nlp, data)}
    if "transformer" in nlp.pipe_names:
        nlp.add_pipe("doc_cleaner", config={"attrs": {"_.trf_data": None}})
    with replacing(output) as partial:
        nlp.to_disk(partial)
        if record["merged_adapters"]:
            _forget_adapters(partial / "config.cfg")
        write_json(partial / "finish.json", record)
    _report(record)
    return record


def _merge_adapters(nlp: Language) -> int:
    """Merge the adapters of every encoder."""
    nodes = [n for _, pipe in nlp.components if hasattr(pipe, "model") for n in pipe.model.walk()]
    shims = [shim for node in nodes for shim in node.shims]
    return sum(shim.merge() for shim in shims if getattr(shim, "lora", None))


def _forget_adapters(path: Path) -> None:
    """Let a finished pipeline's config build an encoder without adapters."""
    config = Config().from_disk(path, interpolate=False)
    for component in config["components"].values():
        if "lora_rank" in component.get("model", {}):
            component["model"]["lora_rank"] = 0
    config.to_disk(path)


def _calibrate(nlp: Language, data: Path) -> dict[str, Any] | None:
    """Calibrate the component that gives probabilities, if there is one."""
    names = [name for name, pipe in nlp.pipeline if hasattr(pipe, "score_tags")]
    if not names:
        return None
    train, dev = (load_examples(nlp, data / f"{split}.spacy") for split in ("train", "dev"))
    seen = Calibration().with_seen(
        (ent.text, ent.label_) for example in train for ent in example.reference.ents
    )
    predictions = collect(nlp, names[0], dev)
    nlp.get_pipe(names[0]).calibration = Calibration()
    if len(predictions) < LEAST_MENTIONS:
        return {"mentions": len(predictions)}
    chosen = fit(predictions, seen)
    nlp.get_pipe(names[0]).calibration = chosen
    gold = sum(len(example.reference.ents) for example in dev)
    return describe(predictions, chosen, gold)


def _report(record: dict[str, Any]) -> None:
    if record["merged_adapters"]:
        print(f"merged {record['merged_adapters']} adapters")
    calibration = record["calibration"]
    if calibration is None:
        print("no component gives probabilities: nothing to calibrate")
    elif "ece" not in calibration:
        print(
            f"{calibration['mentions']} mentions on dev, fewer than {LEAST_MENTIONS}: "
            f"confidence stays as the model gives it"
        )
    else:
        ece = {name: f"{value:.4f}" for name, value in calibration["ece"].items()}
        print(
            f"calibrated on {calibration['mentions']} mentions, at temperature "
            f"{calibration['temperature']:.2f}; expected calibration error on dev: {ece['before']} "
            f"before, {ece['temperature']} by temperature alone, {ece['out_of_fold']} out of fold"
        )


def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Merge a trained pipeline's adapters and calibrate its confidence."""
    finish(model, data, output, gpu=choose_gpu(gpu_id))
