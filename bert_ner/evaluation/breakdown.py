"""Scores of groups of mentions: by length, sentence length, training mentions, and case."""

from collections.abc import Callable, Iterable, Sequence

from .documents import Document
from .matching import Mention, Pair, Score, score
from .records import CountedPrf

Group = Callable[[Document, Mention], str]
LENGTHS = (1, 2, 3)  # words of a mention; all longer ones form one group
SENTENCES = (10, 20, 30, 40)  # words of a sentence: the upper end of each group


def by_group(documents: Iterable[Document], group: Group, names: Sequence[str]) -> dict[str, Score]:
    """Score each group of mentions strictly.

    A gold mention counts in the recall of its group, a predicted one in the precision
    of its group. The two groups of a pair can differ.

    documents (Iterable[Document]): The documents.
    group (Callable[[Document, Mention], str]): Returns the name of a mention's group.
    names (Sequence[str]): All groups, in the order of the report.
    RETURNS (dict[str, Score]): The score of each group that has a mention.
    """
    parts: dict[str, list[Pair]] = {name: [] for name in names}
    for document in documents:
        for pair in document.pairs:
            gold = group(document, pair.gold) if pair.gold else None
            predicted = group(document, pair.predicted) if pair.predicted else None
            if gold is not None and gold == predicted:
                parts[gold].append(pair)
                continue
            if gold is not None:
                parts[gold].append(Pair(pair.gold, None))
            if predicted is not None:
                parts[predicted].append(Pair(None, pair.predicted))
    return {name: score(pairs) for name, pairs in parts.items() if pairs}


def by_length(documents: Iterable[Document]) -> dict[str, Score]:
    """Score mentions by their number of words."""
    names = [_words(n) for n in LENGTHS] + [f"{LENGTHS[-1] + 1} words or more"]
    last = len(names) - 1
    return by_group(documents, lambda _, m: names[min(m.end - m.start - 1, last)], names)


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"


def by_sentence(documents: Iterable[Document]) -> dict[str, Score]:
    """Score mentions by the number of words of the sentence in which they begin."""
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
    """Collect the labels of each text in the training mentions, ignoring case.

    mentions (Iterable[tuple[str, str]]): Texts and labels of the training mentions.
    RETURNS (dict[str, set[str]]): Labels by lower-cased text.
    """
    labels: dict[str, set[str]] = {}
    for text, label in mentions:
        labels.setdefault(text.lower(), set()).add(label)
    return labels


def by_seen(documents: Iterable[Document], seen: dict[str, set[str]]) -> dict[str, Score]:
    """Score mentions by whether their text occurs in the training mentions.

    documents (Iterable[Document]): The documents.
    seen (dict[str, set[str]]): Labels by lower-cased text, from `seen_in`.
    RETURNS (dict[str, Score]): The score of each group that has a mention.
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
    """Score mentions by the case of their letters."""
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


def to_dicts(scores: dict[str, Score]) -> dict[str, CountedPrf]:
    """Convert scores to records for a JSON file."""
    return {name: value.to_dict() for name, value in scores.items()}
