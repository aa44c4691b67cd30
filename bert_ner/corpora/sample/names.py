"""Fills the slots of the templates with Faker's names and the lists of this folder."""

import hashlib
import random
import tomllib
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

LOCALES = ("en_US", "en_GB", "de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL", "pl_PL", "sv_SE", "tr_TR")
POOL = 3000  # names of each kind, before they are divided among the splits
DEV_SHARE = 8  # one name in eight is for dev
# Common words rather than names: every split uses them.
CLOSED = frozenset({"weekday", "month", "ordinal", "sport", "job", "rating", "small", "genre"})
CLOSED |= {"average", "review", "trailer", "decade"}


class Names:
    """Picks texts for slots, from names that no other split uses.

    lists (Path): The TOML file with a list for each slot.
    split (str): "train" or "dev".
    seed (str): The seed of every choice.
    taken (Collection[str]): Names of the test split in lower case, which are never
        picked.
    lower (bool): Whether every text is in lower case.
    """

    def __init__(
        self, lists: Path, split: str, *, seed: str, taken: Collection[str], lower: bool = False
    ) -> None:
        self.random = random.Random(f"{seed} {split}")
        listed = tomllib.loads(lists.read_text(encoding="utf-8"))
        pools = {**listed, **_mixed(listed, lower=lower)}
        self.pools = {
            slot: sorted(v for v in set(values) if slot in CLOSED or _usable(v, split, taken))
            for slot, values in pools.items()
        }
        self.pools["person"] = [name for name in self._people() if name.lower() not in taken]
        self.numbers: dict[str, Callable[[], str]] = {
            "number": self._number,
            "year": lambda: str(self.random.randint(1930, 2024)),
            "day": lambda: str(self.random.randint(1, 31)),
            "initial": lambda: self.random.choice("ABCDEFGHIJKLMNOPRSTVWYZ"),
            "score": lambda: f"{self.random.randint(0, 7)}-{self.random.randint(0, 6)}",
            "minutes": lambda: str(self.random.randint(1, 59)),
            "seconds": lambda: f"{self.random.randint(0, 59):02}",
            "money": lambda: (
                f"$ {self.random.randint(1, 900)} {self.random.choice(['million', 'billion'])}"
            ),
            "percent": lambda: f"{self.random.randint(1, 40)}.{self.random.randint(0, 9)} percent",
        }
        self.people: list[str] = []  # mentioned by their full names in this document

    def start_document(self) -> None:
        """Forget the people mentioned so far."""
        self.people = []

    def pick(self, slot: str) -> str:
        """Pick a text for a slot, with tokens separated by spaces.

        Half of the last names without a first name belong to people mentioned in
        the same document.
        """
        if slot in self.numbers:
            return self.numbers[slot]()
        if slot == "lastname" and self.people and self.random.random() < 0.5:
            return self.random.choice(self.people).split(" ", 1)[1]
        name: str = self.random.choice(self.pools[slot])
        if slot == "person":
            self.people.append(name)
        return name

    def _people(self) -> list[str]:
        """Collect full names: those of film people, and combinations of first and last names."""
        known = self.pools.get("actor", []) + self.pools.get("director", [])
        choose = self.random.choice
        first, last = self.pools["firstname"], self.pools["lastname"]
        return known + [f"{choose(first)} {choose(last)}" for _ in range(len(known) or POOL)]

    def _number(self) -> str:
        number = self.random.choice([self.random.randint(2, 99), self.random.randint(100, 9999)])
        return f"{number:,}"


def _usable(name: str, split: str, taken: Collection[str]) -> bool:
    """Divide names by a hash of their text, so that lists can grow."""
    is_dev = hashlib.sha256(name.lower().encode()).digest()[0] % DEV_SHARE == 0
    return is_dev == (split == "dev") and name.lower() not in taken


@cache
def _faker() -> dict[str, list[str]]:
    """Collect names from Faker, the same in every run with the same version."""
    from faker import Faker  # slow to import

    fakers = [Faker(locale) for locale in LOCALES]
    for faker in fakers:
        faker.seed_instance(2003)
    each = range(POOL // len(LOCALES))
    return {
        "firstname": [f.first_name() for f in fakers for _ in each],
        "lastname": [f.last_name() for f in fakers for _ in each],
        "city": [f.city() for f in fakers[:4] for _ in each],
        "company": [f.company().replace(",", " ,") for f in fakers[:2] for _ in each],
    }


def _mixed(lists: dict[str, list[str]], *, lower: bool) -> dict[str, list[str]]:
    """Collect parts of names, places and companies, half from the lists and half from Faker."""
    chooser = random.Random(2003)
    pools = {}
    for slot, fakes in _faker().items():
        names = sorted({name.lower() if lower else name for name in fakes})
        listed = lists.get(slot, [])
        pools[slot] = listed + chooser.sample(names, k=min(len(names), len(listed) or POOL))
    return pools
