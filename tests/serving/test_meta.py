"""The description of a pipeline."""

import httpx
from spacy.language import Language

from bert_ner.serving.app import make_app
from tests.serving.helpers import running


def test_the_model_describes_its_training_without_folders(nlp: Language) -> None:
    nlp.meta["sources"] = [{"name": "CoNLL-2003"}]
    nlp.meta["training"] = {"recipe": "config", "encoder": "/home/ann/bert", "where": "/home"}
    nlp.meta["performance"] = {"ents_f": 0.9, "speed": 10, "ner_loss": float("nan")}
    nlp.meta["notes"] = "from /home/ann"
    with running(make_app(nlp)) as address:
        model = httpx.get(f"{address}/v1/model", trust_env=False)
    assert "/home" not in model.text
    assert model.json()["training"]["encoder"] == "bert"
    assert model.json()["trained_on"] == "CoNLL-2003"
    assert model.json()["performance"] == {"ents_f": 0.9}
