"""Records of measurements, as their JSON files contain them."""

from typing import NotRequired, TypedDict

from ..loading import PipelineRecord
from ..packaging.records import QuantizeRecord


class Target(TypedDict):
    """A figure that must be reached.

    what: Description of the figure.
    found: The measured figure, None if there is none.
    bar: The figure to reach.
    met: Whether it was reached.
    """

    what: str
    found: float | None
    bar: float
    met: bool


class SpeedRow(TypedDict):
    """Speed of a system on one kind of texts.

    words_per_second: Median of the turns.
    range: The slowest and the fastest turn.
    ratio_to_loop: Speed as a multiple of the plain loop's.
    gflops: Billions of operations per second in the encoder's linear layers.
    peak_mb: Peak memory of the process so far, in MiB.
    """

    system: str
    texts: str
    words_per_second: int
    range: list[int]
    ratio_to_loop: float
    gflops: float
    peak_mb: int


class EpochRow(TypedDict):
    """Speed of a system in training; `ratio_to_loop` compares seconds."""

    system: str
    words_per_second: int
    seconds_per_epoch: int
    ratio_to_loop: float
    peak_mb: int


class LengthRow(TypedDict):
    """Time and peak memory for a single document."""

    words: int
    seconds: float
    peak_mb: int


class StreamRow(TypedDict):
    """Memory after a number of words of a stream, in MiB."""

    words: int
    resident_mb: int
    gpu_mb: NotRequired[int]


class TrainingTime(TypedDict):
    """Time that the training of a pipeline took.

    seconds_to_goal: Seconds until F1 on dev reached the goal, None if it did not.
    """

    machine: str
    epochs: int
    seconds: int
    seconds_to_goal: int | None


class SpeedRecord(TypedDict):
    """The contents of metrics/speed.json.

    words: Number of words by kind of texts.
    matrix_gflops: Rate of a large matrix product, in billions of operations per second.
    """

    machine: str
    gpu: bool
    date: str
    encoder: str
    corpora: list[str]
    words: dict[str, int]
    matrix_gflops: int
    rows: list[SpeedRow]
    int8: QuantizeRecord | None
    trained: TrainingTime | None
    training: list[EpochRow]
    growth: list[LengthRow]
    stream: list[StreamRow]
    bars: list[Target]


class LoadRun(TypedDict):
    """Answers of the service under load.

    latency_ms: Milliseconds by percentile: p50, p95, p99.
    statuses: Number of responses by HTTP status; 0 for broken connections.
    """

    requests_per_second: float
    latency_ms: dict[str, float]
    statuses: dict[str, int]


TextSource = TypedDict("TextSource", {"from": str, "count": int})


class LoadRecord(PipelineRecord):
    """The contents of metrics/serve.json."""

    machine: str
    date: str
    texts: TextSource
    clients: int
    seconds: float
    runs: dict[str, LoadRun]
    bars: list[Target]


class ScalingRow(TypedDict):
    """Speed of an engine with a number of workers."""

    engine: str
    workers: int
    words_per_second: int


class ProjectedRow(TypedDict):
    """Expected speed with a number of Ray workers."""

    workers: int
    words_per_second: int


class SoakRecord(TypedDict):
    """The contents of metrics/scale.json.

    seconds: Duration of the uninterrupted run.
    killed_at: Records that were done at each kill.
    equal: Whether the killed run wrote the same file as the uninterrupted one.
    complete: Whether it has every record once.
    memory_mb: Highest memory in each tenth of the uninterrupted run, in MiB.
    ray_equal: Whether Ray found the same entities as local workers.
    """

    pipeline: str
    machine: str
    date: str
    records: int
    words: int
    seconds: int
    killed_at: list[int]
    equal: bool
    complete: bool
    memory_mb: list[int]
    scaling: list[ScalingRow]
    ray_equal: bool
    projection: list[ProjectedRow]
