"""Records of experiments: JSON files under docs/results/ablation, and fold.json."""

from typing import NotRequired, TypedDict

from ..evaluation.records import SplitScores
from ..training.records import Overrides


class BudgetSettings(TypedDict):
    """Limits of a run.

    every (dict[str, int]): For each split, n takes every n-th document.
    epochs (int): Passes over train.
    labels (list[str]): Labels to keep. Tokens of other entities get the tag O. All labels
        are kept if it is missing.
    random_test (float): Share of all documents that becomes test, chosen at random.
        The corpus's own splits are used if it is missing.
    """

    every: dict[str, int]
    epochs: int
    labels: NotRequired[list[str]]
    random_test: NotRequired[float]


class SwitchSettings(TypedDict):
    """Settings that define the run of a switch."""

    overrides: Overrides
    recipe: list[str]  # its name, and a hash of everything that affects the training
    rate: float  # factor of the learning rate


class Conditions(TypedDict):
    """Conditions that all runs of an ablation share. Runs are compared only if they agree."""

    budget: BudgetSettings
    encoder: str
    source: str  # title of the corpus
    files: str  # hash of the checksums of its native files
    machine: str


class RunSettings(Conditions):
    """Conditions and settings of a run."""

    switch: SwitchSettings


class RunRequest(TypedDict):
    """Arguments of `bert_ner.experiments.ablation_run`, as JSON.

    config (str): Path of the recipe's config.
    overrides (Overrides): The switch's changes to it.
    rate (float): Factor of the learning rate.
    data (str): Folder of the converted corpus.
    budget (BudgetSettings): Limits of the run.
    seed (int): Seed of every random choice.
    encoder (str): See `bert_ner.training.encoders.resolve`.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    config: str
    overrides: Overrides
    rate: float
    data: str
    budget: BudgetSettings
    seed: int
    encoder: str
    gpu: int


class RunResult(TypedDict):
    """Sizes, scores and costs of a run. Numbers of documents, sentences and mentions by split."""

    documents: dict[str, int]
    sentences: dict[str, int]
    mentions: dict[str, int]
    epochs: int
    steps: int
    scores: dict[str, SplitScores]  # of dev and test
    trained_parameters: int
    processor_seconds_per_epoch: float  # summed over cores
    wall_seconds_per_epoch: float
    peak_memory_mb: int  # in MiB, of the training


class AblationRecord(RunResult):
    """A measured run: one JSON file."""

    switch: str
    seed: int
    settings: RunSettings


class FoldSettings(TypedDict):
    """Settings that the folds of a cross-validation share: fold.json."""

    recipe: str  # SHA-256 of the config
    train: str  # SHA-256 of the train split
    encoder: str
    epochs: int | None
    seed: int
