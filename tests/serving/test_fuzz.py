"""The service answers generated requests as its OpenAPI schema says."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from spacy.language import Language

from bert_ner.serving.app import make_app
from bert_ner.serving.limits import Limits
from tests.serving.helpers import running

EXAMPLES = 60  # of each operation and mode; the same in every run (`derandomize`)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_service_answers_as_its_schema_says(mode: GenerationMode, nlp: Language) -> None:
    with running(make_app(nlp, Limits(chars=40, texts=4, queue=8))) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        # it does not expect 413
        rejection = schema.config.checks.negative_data_rejection
        rejection.expected_statuses = [*rejection.expected_statuses, "413"]
        statuses: set[int] = set()
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            if mode == GenerationMode.NEGATIVE and operation.method == "get":
                continue  # no parameter can be invalid

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case[Any]) -> None:
                response = case.call_and_validate()
                statuses.add(response.status_code)

            check()
        assert httpx.get(f"{address}/health", trust_env=False).status_code == 200
    assert (200 if mode == GenerationMode.POSITIVE else 422) in statuses
    assert 500 not in statuses
