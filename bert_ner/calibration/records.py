"""Record of a calibration: `finish.json` in the pipeline's folder."""

from typing import NotRequired, TypedDict


class Stages(TypedDict):
    """A measure of dev's confidence at each stage of the calibration."""

    before: float  # the model's own probability
    temperature: float  # at the fitted temperature
    after: float  # calibrated
    out_of_fold: float  # as after, but fitted on other documents


class CalibrationRecord(TypedDict):
    """Fitted calibration and its effect on dev. With too few mentions, only their number."""

    mentions: int  # predicted on dev
    temperature: NotRequired[float]
    slope: NotRequired[float]
    bias: NotRequired[float]
    unseen: NotRequired[float]
    ambiguous: NotRequired[float]
    length: NotRequired[float]
    log_loss: NotRequired[Stages]  # in nats
    ece: NotRequired[Stages]  # expected calibration error


class FinishRecord(TypedDict):
    """Contents of finish.json. The calibration is None if no component has probabilities."""

    merged_adapters: int
    calibration: CalibrationRecord | None
