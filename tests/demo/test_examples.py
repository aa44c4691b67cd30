"""Examples suit the domain of the pipeline."""

from bert_ner.demo.examples import MOVIES, NEWS, examples_for


def test_examples_suit_the_labels() -> None:
    assert examples_for(["Actor", "Plot"]) == MOVIES
    assert examples_for(["geo", "per"]) == NEWS
    assert examples_for([]) == NEWS
