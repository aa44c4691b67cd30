"""How much the service takes, and what it says where that is too much."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..annotation.annotator import LONGEST_WORD, longest_word
from ..errors import InputError

ESCAPED = 12  # bytes of the longest that JSON writes a character: 😀 is "\ud83d\ude00"
FRAME = 4_096  # bytes of a body around its texts


class RequestError(Exception):
    """A request that the service does not serve.

    status (int): The HTTP status.
    message (str): What is wrong and what can be done, without a word of the request's texts.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """How much the service takes.

    chars (int): Characters of a text.
    texts (int): Texts of a request.
    queue (int): Texts that wait for the model.
    batch (int): Texts that the model reads together; 1 for each alone.
    batch_chars (int): Characters that it reads together, if it is more than one text.
    wait_ms (float): How long a text waits for others to be read with, in milliseconds.
    body_seconds (float): How long a body may take to arrive.
    word (int): Characters of a text without white space between them.
    """

    chars: int = 10_000
    texts: int = 32
    queue: int = 256
    batch: int = 32
    batch_chars: int = 20_000
    wait_ms: float = 2.0
    body_seconds: float = 30.0
    word: int = LONGEST_WORD

    def __post_init__(self) -> None:
        if not math.isfinite(self.wait_ms):
            raise InputError(f"--max-wait-ms {self.wait_ms}: expected a number of milliseconds.")
        if self.queue < self.texts:
            raise InputError(
                f"a queue of {self.queue} texts cannot hold a request of {self.texts}. "
                "Make --queue larger or --max-texts smaller."
            )

    @property
    def body_bytes(self) -> int:
        """The most bytes of a body: every text at its longest, every character escaped."""
        return self.texts * (self.chars * ESCAPED + len('"",')) + FRAME

    def check_count(self, count: int) -> None:
        """Refuse so many texts of a request with 422 if they are too many."""
        if count > self.texts:
            raise RequestError(
                422,
                f"texts: {count:,} in one request, and at most {self.texts:,} are taken. "
                "Send them in several requests.",
            )

    def check(self, texts: Mapping[str, str]) -> None:
        """Refuse texts that are too many or too long.

        texts (Mapping[str, str]): The texts, by what messages call them.
        RAISES (RequestError): 422 if there are too many, 413 if one is too long.
        """
        self.check_count(len(texts))
        for name, text in texts.items():
            if len(text) > self.chars:
                raise RequestError(
                    413,
                    f"{name}: {len(text):,} characters, and at most {self.chars:,} are taken. "
                    "Cut it where a paragraph ends.",
                )
            if (found := longest_word(text)) > self.word:
                raise RequestError(
                    413,
                    f"{name}: {found:,} characters without white space between them, and at most "
                    f"{self.word:,} are taken. Put spaces between words.",
                )
