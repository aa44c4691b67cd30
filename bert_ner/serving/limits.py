"""Limits of the service, and the errors for requests that exceed them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..annotation.long_words import LONGEST_WORD, longest_word
from ..errors import InputError

ESCAPED_BYTES = 12  # of the longest JSON escape of a character: 😀 is "\ud83d\ude00"
FRAME_BYTES = 4_096  # of a body around its texts


class RequestError(Exception):
    """Raised for a request that the service refuses.

    status (int): The HTTP status.
    message (str): The problem and the remedy, without any part of the request's texts.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """The limits of requests, of the queue and of batches.

    chars (int): Characters per text.
    texts (int): Texts per request.
    queue (int): Texts that wait for the pipeline.
    batch (int): Texts per batch; 1 processes every text alone.
    batch_chars (int): Characters per batch of more than one text.
    wait_ms (float): Milliseconds that a text waits for others to share its batch.
    body_seconds (float): Seconds until a request's body must have arrived.
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
        """The maximum size of a body: texts of maximum length, with every character escaped."""
        return self.texts * (self.chars * ESCAPED_BYTES + len('"",')) + FRAME_BYTES

    def check_count(self, count: int) -> None:
        """Check the number of texts in a request.

        RAISES (RequestError): 422 if there are too many.
        """
        if count > self.texts:
            raise RequestError(
                422,
                f"texts: {count:,} in one request, and at most {self.texts:,} are accepted. "
                "Send them in several requests.",
            )

    def check(self, texts: Mapping[str, str]) -> None:
        """Check the number and the length of texts.

        texts (Mapping[str, str]): The texts by their names in error messages.
        RAISES (RequestError): 422 if there are too many, 413 if one is too long.
        """
        self.check_count(len(texts))
        for name, text in texts.items():
            if len(text) > self.chars:
                raise RequestError(
                    413,
                    f"{name}: {len(text):,} characters, and at most {self.chars:,} are accepted. "
                    "Split it at the end of a paragraph.",
                )
            if (longest := longest_word(text)) > self.word:
                raise RequestError(
                    413,
                    f"{name}: {longest:,} characters without white space between them, and at most "
                    f"{self.word:,} are accepted. Put spaces between words.",
                )
