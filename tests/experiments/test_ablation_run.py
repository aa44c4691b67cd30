from pathlib import Path

import pytest
import spacy

from bert_ner.experiments import ablation_run
from bert_ner.experiments.ablation_run import plan_overrides, read_splits
from bert_ner.experiments.records import BudgetSettings, RunRequest, RunResult
from tests.conftest import ROOT

EVERY = {"train": 1, "dev": 1, "test": 1}


@pytest.fixture
def request_(converted: Path, encoder: Path) -> RunRequest:
    return {
        "config": str(ROOT / "configs" / "config.cfg"),
        "overrides": {"components.transformer.model.frozen_layers": 0},
        "rate": 2.0,
        "data": str(converted),
        "budget": {"every": {"train": 2, "dev": 3, "test": 3}, "epochs": 2},
        "seed": 7,
        "encoder": str(encoder),
        "gpu": -1,
    }


def test_a_budget_takes_a_share_of_documents_and_labels(converted: Path) -> None:
    own = read_splits(converted, {"every": {"train": 4, "dev": 2, "test": 1}, "epochs": 1})
    assert {split: len(docs) for split, docs in own.items()} == {"train": 4, "dev": 3, "test": 6}
    assert {ent.label_ for doc in own["test"] for ent in doc.ents} == {"PER", "LOC", "MISC", "ORG"}
    budget: BudgetSettings = {
        "every": EVERY,
        "epochs": 1,
        "labels": ["LOC", "PER"],
        "random_test": 0.25,
    }
    mixed = read_splits(converted, budget)
    assert len(mixed["test"]) == 7
    assert sum(map(len, mixed.values())) == 16 + 6 + 6
    mixed_docs = [doc for docs in mixed.values() for doc in docs]
    whole = read_splits(converted, {"every": EVERY, "epochs": 1})
    all_docs = [doc for docs in whole.values() for doc in docs]
    assert {doc.text for doc in mixed_docs} == {doc.text for doc in all_docs}
    assert {ent.label_ for doc in mixed_docs for ent in doc.ents} == {"LOC", "PER"}
    again = read_splits(converted, budget)
    assert [doc.text for doc in again["test"]] == [doc.text for doc in mixed["test"]]


def test_overrides_of_a_run(request_: RunRequest, converted: Path) -> None:
    plain = plan_overrides({**request_, "rate": 1.0, "overrides": {}}, converted)
    overrides = plan_overrides(request_, converted)
    rate = "training.optimizer.learn_rate.initial_rate"
    assert overrides[rate] == pytest.approx(2 * float(str(plain[rate])))
    changed = {key for key in overrides if overrides[key] != plain.get(key)}
    assert changed == {rate, "components.transformer.model.frozen_layers"}
    assert overrides["components.transformer.model.frozen_layers"] == 0
    assert overrides["system.seed"] == 7
    assert overrides["paths.train"] == str(converted / "train.spacy")
    # spaCy evaluates once, on one document, and does not stop early
    steps = overrides["training.max_steps"]
    assert isinstance(steps, int)
    assert steps > 0
    assert overrides["training.eval_frequency"] == steps
    assert overrides["training.optimizer.learn_rate.total_steps"] == steps
    assert (overrides["corpora.dev.limit"], overrides["training.patience"]) == (1, 0)


def test_a_run_trains_and_scores_on_its_share(request_: RunRequest) -> None:
    result = ablation_run.run(request_)
    assert set(result) == RunResult.__required_keys__
    assert result["documents"] == {"train": 8, "dev": 2, "test": 2}
    assert result["sentences"]["train"] >= 8
    assert set(result["scores"]) == {"dev", "test"}
    assert 0 <= result["scores"]["test"]["f1"] <= 1
    assert result["epochs"] == 2
    assert result["steps"] % 2 == 0
    assert result["processor_seconds_per_epoch"] > 0
    assert result["peak_memory_mb"] > 0


def test_frozen_embeddings_are_not_counted(trained: Path, encoder: Path) -> None:
    nlp = spacy.load(trained)
    before = ablation_run._trained_parameters(nlp)
    module = nlp.get_pipe("transformer").model.transformer
    frozen = module.embeddings.word_embeddings.weight
    frozen.requires_grad = False
    assert ablation_run._trained_parameters(nlp) == before - frozen.numel()
