"""The page that shows the OpenAPI schema."""

import re

from tests.serving.helpers import PATH, Serve


def test_the_page_is_complete_and_loads_nothing(serve: Serve) -> None:
    client = serve(chars=1_234)
    response = client.get("/docs")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<script|https?://", response.text)
    schema = client.get("/openapi.json").json()
    for name in (*schema["paths"], *schema["components"]["schemas"]):
        assert name in response.text
    assert "at most 1,234 characters" in response.text
    fields = schema["components"]["schemas"]["Request"]["properties"]
    assert fields["text"]["maxLength"] == fields["texts"]["items"]["maxLength"] == 1_234
    assert fields["texts"]["maxItems"] == 32
    annotated = schema["paths"][PATH]["post"]["responses"]
    assert set(annotated) == {"200", "401", "403", "408", "413", "422", "429", "500", "503"}
    assert not {"HTTPValidationError", "ValidationError"} & set(schema["components"]["schemas"])
