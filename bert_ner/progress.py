"""A progress bar for steps that take more than a few seconds."""

from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def track(items: Iterable[Item], what: str, *, total: int | None) -> Iterable[Item]:
    """Show a progress bar on a terminal while items are consumed.

    items (Iterable[Item]): The items.
    what (str): The name of the step, shown before the bar.
    total (int | None): The number of items, None if it is unknown.
    RETURNS (Iterable[Item]): The same items.
    """
    bar: Iterable[Item] = tqdm(items, desc=what, total=total, disable=None, leave=False)
    return bar
