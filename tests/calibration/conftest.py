"""A trained pipeline and its corpora, made once."""

import pytest

from bert_ner.calibration.fit import MIN_MENTIONS
from tests.calibration.helpers import Trained
from tests.helpers import write_corpus
from tests.pipes.training import Build, encoder_key, train


@pytest.fixture(scope="session")
def trained(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    nlp = build(**{encoder_key("lora_rank"): 4})
    train(nlp, steps=60)
    nlp.to_disk(folder / "model-best")
    data = write_corpus(nlp, folder / "data", times=MIN_MENTIONS // 4 + 1)
    small = write_corpus(nlp, folder / "small", times=2)
    return Trained(nlp, folder / "model-best", data, small)
