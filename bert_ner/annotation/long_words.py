"""The limit on words that are slow to tokenize. This module imports no library."""

LONGEST_WORD = 1_000  # characters: spaCy's tokenizer needs quadratic time for some, such as "((("


def longest_word(text: str) -> int:
    """Count the characters of the longest run without white space."""
    return max(map(len, text.split()), default=0)
