"""The longest word decides whether a tokenizer is fast enough."""

from bert_ner.annotation.long_words import longest_word


def test_the_longest_word_is_counted_in_characters() -> None:
    assert [longest_word(text) for text in ("", " \n", "a bcd\te", "ab")] == [0, 0, 3, 2]
