"""Merge a trained pipeline's adapters and calibrate its confidence on dev."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bert_ner import cli

if TYPE_CHECKING:
    from bert_ner.calibration.records import FinishRecord


def main(
    model: Annotated[Path, typer.Argument(help="Folder of the trained pipeline.")],
    data: cli.CorpusFolderArgument,
    output: Annotated[Path, typer.Option(help="Output folder.")],
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Merge a trained pipeline's adapters and calibrate its confidence on dev."""
    from bert_ner.calibration.finish import calibrate_pipeline
    from bert_ner.devices import choose_gpu

    _print(calibrate_pipeline(model, data, output, gpu=choose_gpu(gpu_id)))


def _print(record: "FinishRecord") -> None:
    if record["merged_adapters"]:
        print(f"merged {record['merged_adapters']} adapters")
    calibration = record["calibration"]
    if calibration is None:
        print("no component gives probabilities: nothing to calibrate")
    elif "ece" not in calibration:
        print(f"{calibration['mentions']} mentions on dev are too few to calibrate confidence")
    else:
        ece = calibration["ece"]
        print(
            f"calibrated on {calibration['mentions']} mentions, at temperature "
            f"{calibration['temperature']:.2f}; expected calibration error on dev: "
            f"{ece['before']:.4f} before, {ece['temperature']:.4f} with the temperature only, "
            f"{ece['out_of_fold']:.4f} out of fold"
        )


if __name__ == "__main__":
    cli.run(main)
