"""Running text from the tokens of a corpus."""

from collections.abc import Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

CLOSING = frozenset([".", ",", ";", ":", "!", "?", ")", "]", "}", "%", "...", "'", "''"])
CLITICS = frozenset(["'s", "'S", "'re", "'ve", "'ll", "'d", "'m", "n't", "N'T"])
OPENING = frozenset(["(", "[", "{", "$", "#", "``"])
QUOTE = '"'  # opening and closing ones alternate


def spaces_after(words: Sequence[str]) -> list[bool]:
    """Decide whether a space follows each token, by the rules of English typesetting.

        He said : " We won , 3-1 . "   ->   He said: "We won, 3-1."

    words (Sequence[str]): The tokens.
    RETURNS (list[bool]): One value per token; no space follows the last token.
    """
    spaces = []
    quoted = False
    for word, following in zip(words, [*words[1:], ""], strict=True):
        quoted ^= word == QUOTE
        opens = word in OPENING or (word == QUOTE and quoted)
        closes = following in CLOSING | CLITICS or (following == QUOTE and quoted)
        spaces.append(bool(following) and not (opens or closes))
    return spaces


def raw_example(nlp: Language, gold: Doc) -> Example:
    """Typeset a gold document and tokenize it with the pipeline's own tokenizer.

    nlp (Language): The pipeline.
    gold (Doc): The gold document.
    RETURNS (Example): The new document with the gold one, not annotated yet.
    """
    words = [token.text for token in gold]
    reference = Doc(nlp.vocab, words=words, spaces=spaces_after(words))
    ents = [Span(reference, ent.start, ent.end, ent.label_) for ent in gold.ents]
    reference.set_ents(ents, default="outside")
    return Example(nlp.make_doc(reference.text), reference)
