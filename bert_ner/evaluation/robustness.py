"""Changed texts for the robustness scores: case, typos, other names, no punctuation."""

import random
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from .documents import mentions_of
from .matching import Mention

Text = tuple[list[str], list[Mention]]
Change = Callable[[Text, random.Random], Text]
TYPO_WORDS, TYPO_LETTERS = 10, 4  # one word in 10, and only words of 4 letters or more


def lower(text: Text, _: random.Random) -> Text:
    """Change all words to lower case."""
    return [word.lower() for word in text[0]], text[1]


def upper(text: Text, _: random.Random) -> Text:
    """Change all words to capitals."""
    return [word.upper() for word in text[0]], text[1]


def typos(text: Text, dice: random.Random) -> Text:
    """Swap two adjacent letters in one of ten longer words."""
    return [_typo(word, dice) for word in text[0]], text[1]


def _typo(word: str, dice: random.Random) -> str:
    if len(word) < TYPO_LETTERS or not word.isalpha() or dice.randrange(TYPO_WORDS):
        return word
    i = dice.randrange(1, len(word) - 2)  # keeps the first letter and so the case
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def without_punctuation(text: Text, _: random.Random) -> Text:
    """Remove punctuation outside mentions."""
    words, mentions = text
    inside = {i for mention in mentions for i in range(mention.start, mention.end)}
    left = [i for i, word in enumerate(words) if i in inside or not _is_punctuation(word)]
    place = {old: new for new, old in enumerate(left)}
    moved = [Mention(place[m.start], place[m.end - 1] + 1, m.label) for m in mentions]
    return [words[i] for i in left], moved


def _is_punctuation(word: str) -> bool:
    return all(unicodedata.category(c).startswith("P") for c in word)


def swapped_names(texts: Sequence[Text]) -> Change:
    """Make a change that replaces each mention with another one of the same label.

    A label whose mentions all have the same text does not change.

    texts (Sequence[tuple[list[str], list[Mention]]]): The texts to take the mentions from.
    RETURNS (Callable): The change.
    """
    names: dict[str, list[list[str]]] = {}
    for words, mentions in texts:
        for mention in mentions:
            names.setdefault(mention.label, []).append(words[mention.start : mention.end])

    replaceable = {label for label, known in names.items() if len(set(map(tuple, known))) > 1}

    def swap(text: Text, dice: random.Random) -> Text:
        words, mentions = text
        out: list[str] = []
        moved: list[Mention] = []
        end = 0
        for mention in mentions:
            out += words[end : mention.start]
            own = words[mention.start : mention.end]
            name = dice.choice(names[mention.label])
            while name == own and mention.label in replaceable:
                name = dice.choice(names[mention.label])
            moved.append(Mention(len(out), len(out) + len(name), mention.label))
            out += name
            end = mention.end
        return out + words[end:], moved

    return swap


def changes(texts: Sequence[Text]) -> dict[str, Change]:
    """List all changes by their name in the report."""
    return {
        "lower case": lower,
        "all capitals": upper,
        "typos": typos,
        "swapped names": swapped_names(texts),
        "no punctuation": without_punctuation,
    }


def texts_of(docs: Iterable[Doc]) -> list[Text]:
    """Read the words and gold mentions of documents."""
    return [([token.text for token in doc], mentions_of(doc)) for doc in docs]


def change_all(texts: Sequence[Text], change: Change, vocab: Vocab, *, seed: int) -> list[Example]:
    """Change texts and convert them to examples.

    texts (Sequence[tuple[list[str], list[Mention]]]): The texts.
    change (Callable): The change.
    vocab (Vocab): The pipeline's vocabulary.
    seed (int): Seed of every random choice.
    RETURNS (list[Example]): The examples in order, not annotated yet.
    """
    dice = random.Random(seed)
    return [_example(change(text, dice), vocab) for text in texts]


def _example(text: Text, vocab: Vocab) -> Example:
    words, mentions = text
    gold = Doc(vocab, words=words)
    gold.set_ents([Span(gold, *mention) for mention in mentions], default="outside")
    return Example(Doc(vocab, words=words), gold)
