"""The listener pools as the stock one does."""

import numpy as np

from tests.pipes.training import (
    TEXTS,
    Build,
)


def test_what_is_pooled_at_once_is_what_the_stock_listener_gives(build: Build) -> None:
    nlp = build()
    listener = nlp.get_pipe("ner").model.get_ref("tok2vec")
    docs = [nlp.make_doc(text) for text in (TEXTS[0], "", "Lima", TEXTS[1] * 9)]
    for doc in nlp.get_pipe("transformer").pipe(docs):
        assert doc._.trf_data is not None
    stock = listener.layers[0].predict(docs)
    assert [len(vectors) for vectors in stock] == [len(doc) for doc in docs]
    for mine, theirs in zip(listener.predict(docs), stock, strict=True):
        assert np.allclose(mine, theirs.reshape(-1, mine.shape[1]), atol=1e-5)
    with docs[0].retokenize() as retokenizer:
        retokenizer.merge(docs[0][:2])  # the vectors of the others stay theirs
    assert np.allclose(listener.predict(docs)[2], stock[2], atol=1e-5)
