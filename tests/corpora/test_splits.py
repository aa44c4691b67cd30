from hypothesis import given
from hypothesis import strategies as st

from bert_ner.corpora.formats import Document, Token
from bert_ner.corpora.splits import cut, group_sentences, text


def document(words: str) -> Document:
    return [[Token(word, "O", "", 1) for word in words.split()]]


texts = st.lists(st.text("abc ", min_size=1).filter(str.strip), min_size=1, max_size=60)


@given(texts, st.permutations(range(60)))
def test_nothing_is_lost_no_text_is_in_two_splits_and_order_does_not_matter(
    given_texts: list[str], order: list[int]
) -> None:
    documents = [document(words) for words in given_texts]
    splits = cut(documents, {"dev": 0.2, "test": 0.1})
    assert sorted(text(d) for s in splits.values() for d in s) == sorted(map(text, documents))
    seen = [{text(d) for d in split} for split in splits.values()]
    assert sum(map(len, seen)) == len(set.union(*seen))
    shuffled = [documents[i] for i in order if i < len(documents)]
    for split, expected in zip(
        cut(shuffled, {"dev": 0.2, "test": 0.1}).values(), seen, strict=True
    ):
        assert {text(d) for d in split} == expected


def test_shares_are_met() -> None:
    splits = cut([document(f"w{i}") for i in range(1000)], {"dev": 0.1, "test": 0.05})
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 850,
        "dev": 100,
        "test": 50,
    }


def test_large_group_of_repeats_does_not_fill_a_small_split() -> None:
    documents = [document("same")] * 30 + [document(f"w{i}") for i in range(30)]
    splits = cut(documents, {"dev": 0.1})
    assert len(splits["dev"]) == 6


def test_order_inside_a_split_is_kept() -> None:
    splits = cut([document(f"w{i}") for i in range(50)], {"dev": 0.3})
    for split in splits.values():
        numbers = [int(text(d)[1:]) for d in split]
        assert numbers == sorted(numbers)


def test_group_sentences() -> None:
    sentences = [document(f"w{i}")[0] for i in range(7)]
    assert [len(d) for d in group_sentences(sentences, 3)] == [3, 3, 1]
