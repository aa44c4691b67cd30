"""Plan of an ablation: configs/ablation.toml."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from ..errors import InputError
from ..files import read_toml
from ..training.records import Overrides
from .records import BudgetSettings

DEFAULT = "default"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Entry):
    """Limits of a run: see `bert_ner.experiments.records.BudgetSettings`.

    only (list[str]): Names of the switches to measure, all if it is empty.
    """

    about: str
    every: dict[Literal["train", "dev", "test"], PositiveInt]
    epochs: PositiveInt
    labels: list[str] | None = None
    random_test: float | None = Field(default=None, gt=0, lt=1)
    only: list[str] = []

    @model_validator(mode="after")
    def _check_splits(self) -> "Budget":
        if len(self.every) != 3:
            raise ValueError("every: needs train, dev and test")
        return self

    def settings(self) -> BudgetSettings:
        """Return the settings of the budget for the record of a run."""
        settings = self.model_dump(exclude={"about", "only"}, exclude_none=True)
        return cast(BudgetSettings, settings)


class RemovedSwitch(_Entry):
    """A switch that no longer exists, for the page that shows its recorded results."""

    name: str
    group: str
    about: str
    against: str = DEFAULT  # the switch that it is compared with


class Switch(RemovedSwitch):
    """A change to a recipe.

    overrides (Overrides): Changed values of the config. In the file, they are written
        next to the other settings: every key with a dot is an override.
    recipe (str): Stem of the config's file name.
    rate (float): Factor of the learning rate.
    """

    overrides: Overrides = Field(default_factory=dict)
    recipe: str = "config"
    rate: float = Field(default=1.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _collect_overrides(cls, entry: Any) -> Any:
        if not isinstance(entry, dict) or not any("." in str(key) for key in entry):
            return entry
        settings = {key: value for key, value in entry.items() if "." not in key}
        overrides = {key: value for key, value in entry.items() if "." in key}
        return settings | {"overrides": overrides}


class Plan(_Entry):
    """Seeds, budgets and switches of an ablation. The first switch is the unchanged recipe."""

    seeds: list[int]
    budgets: dict[str, Budget]
    switches: list[Switch]
    removed: list[RemovedSwitch] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_names(self) -> "Plan":
        entries = [*self.switches, *self.removed]
        names = Counter(entry.name for entry in entries)
        if repeated := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"two switches have the name {repeated[0]}")
        if unknown := {entry.against for entry in entries} - set(names):
            raise ValueError(f"against: unknown switch {', '.join(sorted(unknown))}")
        return self

    def budget(self, name: str) -> Budget:
        """Look up a budget.

        RAISES (InputError): If the plan has no such budget.
        """
        if name not in self.budgets:
            raise InputError(f"--budget {name}: expected one of {', '.join(self.budgets)}.")
        return self.budgets[name]

    def select(self, names: Collection[str]) -> list[Switch]:
        """Select switches, together with the switches that they are compared with.

        names (Collection[str]): Names of switches. All switches if it is empty.
        RETURNS (list[Switch]): The switches, in the order of the plan.
        RAISES (InputError): If the plan has no switch with one of the names.
        """
        if unknown := set(names) - {switch.name for switch in self.switches}:
            raise InputError(f"--only {', '.join(sorted(unknown))}: not a switch of the plan.")
        selected = {*names, *(s.against for s in self.switches if s.name in names)}
        return [switch for switch in self.switches if not names or switch.name in selected]


def read_plan(path: Path) -> Plan:
    """Read configs/ablation.toml.

    path (Path): The file.
    RETURNS (Plan): Its contents. The unchanged recipe is added as the first switch.
    RAISES (InputError): If the file is not a valid plan.
    """
    content = read_toml(path)
    default = Switch(name=DEFAULT, group="", about="The unchanged recipe.")
    try:
        return Plan.model_validate({**content, "switches": [default, *content["switches"]]})
    except (KeyError, TypeError) as e:
        raise InputError(f"{path}: not an ablation plan: it needs a list of switches.") from e
    except ValidationError as e:
        error = e.errors()[0]
        where = ".".join(str(part) for part in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}: not an ablation plan: {where or 'switches'}: {message}.") from e
