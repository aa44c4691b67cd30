"""Where a pipeline is good and where it is not: scores of parts of the mentions."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .documents import Document
from .matching import Mention, Pair, Score, score

Group = Callable[[Document, Mention], str]
LENGTHS = (1, 2, 3)  # words of a mention; longer ones are one group
SENTENCES = (10, 20, 30, 40)  # words of a sentence, the upper end of each group


def by_group(documents: Iterable[Document], group: Group, names: Sequence[str]) -> dict[str, Score]:
    """The strict score of each group of mentions.

    A gold mention counts for the recall of its own group, and a predicted one
    for the precision of its own.

    documents (Iterable[Document]): The documents.
    group (Callable[[Document, Mention], str]): The name of a mention's group.
    names (Sequence[str]): All groups, in the order in which they are shown.
    RETURNS (dict[str, Score]): The score of each group that has a mention.
    """
    parts: dict[str, list[Pair]] = {name: [] for name in names}
    for document in documents:
        for pair in document.pairs:
            groups = [m and group(document, m) for m in (pair.gold, pair.predicted)]
            if groups[0] == groups[1]:
                parts[str(groups[0])].append(pair)
                continue
            if groups[0]:
                parts[groups[0]].append(Pair(pair.gold, None))
            if groups[1]:
                parts[groups[1]].append(Pair(None, pair.predicted))
    return {name: score(pairs) for name, pairs in parts.items() if pairs}


def by_length(documents: Iterable[Document]) -> dict[str, Score]:
    """Scores by the number of a mention's words."""
    names = [_words(n) for n in LENGTHS] + [f"{LENGTHS[-1] + 1} words or more"]
    last = len(names) - 1
    return by_group(documents, lambda _, m: names[min(m.end - m.start - 1, last)], names)


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"


def by_sentence(documents: Iterable[Document]) -> dict[str, Score]:
    """Scores by the number of words of the sentence in which a mention begins."""
    starts = (1, *(end + 1 for end in SENTENCES))
    names = [f"{start} to {end} words" for start, end in zip(starts, SENTENCES, strict=False)]
    names.append(f"{starts[-1]} words or more")

    def group(document: Document, mention: Mention) -> str:
        for start, end in document.sentences:
            if start <= mention.start < end:
                return names[sum(end - start > limit for limit in SENTENCES)]
        return names[-1]

    return by_group(documents, group, names)


def seen_in(mentions: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The labels that each mention's text has in training, whatever its case.

    mentions (Iterable[tuple[str, str]]): Texts and labels of the training mentions.
    RETURNS (dict[str, set[str]]): Labels by text.
    """
    labels: dict[str, set[str]] = {}
    for text, label in mentions:
        labels.setdefault(text.lower(), set()).add(label)
    return labels


def by_seen(documents: Iterable[Document], seen: dict[str, set[str]]) -> dict[str, Score]:
    """Scores by whether training had the mention's text.

    documents (Iterable[Document]): The documents.
    seen (dict[str, set[str]]): What `seen_in` gives.
    """
    names = ["seen with this label only", "seen with this label and another"]
    names += ["seen with another label only", "unseen"]

    def group(document: Document, mention: Mention) -> str:
        labels = seen.get(document.text(mention).lower(), set())
        if not labels:
            return names[3]
        if mention.label not in labels:
            return names[2]
        return names[1] if len(labels) > 1 else names[0]

    return by_group(documents, group, names)


def by_case(documents: Iterable[Document]) -> dict[str, Score]:
    """Scores by the case of a mention's letters."""
    names = ["Capitalised", "ALL CAPS", "lower case", "mixed", "no letters"]

    def group(document: Document, mention: Mention) -> str:
        words = document.words[mention.start : mention.end]
        letters = "".join(c for word in words for c in word if c.isalpha())
        if not letters:
            return names[4]
        if letters.islower():
            return names[2]
        if letters.isupper() and len(letters) > 1:
            return names[1]
        first = [next((c for c in word if c.isalpha()), "") for word in words]
        return names[0] if all(c.isupper() for c in first if c) else names[3]

    return by_group(documents, group, names)


def to_dicts(scores: dict[str, Score]) -> dict[str, Any]:
    """For a JSON file."""
    return {name: value.to_dict() for name, value in scores.items()}
