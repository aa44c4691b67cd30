"""A progress bar for what takes more than a few seconds."""

from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def track(items: Iterable[Item], what: str, *, total: int | None) -> Iterable[Item]:
    """Show on a terminal how many items are done, how fast, and how long the rest takes.

    items (Iterable[Item]): The items.
    what (str): What is done to them.
    total (int | None): How many there are, None if that is not known.
    RETURNS (Iterable[Item]): The same items.
    """
    bar: Iterable[Item] = tqdm(items, desc=what, total=total, disable=None, leave=False)
    return bar
