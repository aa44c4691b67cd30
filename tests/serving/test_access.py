"""Tokens and addresses."""

from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.serving.access import allowed_hosts, is_local, read_token


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EN_BERT_NER_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("EN_BERT_NER_TOKEN", "of-environment")
    assert read_token(None) == "of-environment"
    path = tmp_path / "token"
    path.write_text("of-file\n")
    assert read_token(path) == "of-file"
    for bad in ("", "\n", "two words", "é", "a\x00b"):
        path.write_text(bad)
        with pytest.raises(InputError, match="expected a token of ASCII letters"):
            read_token(path)
    monkeypatch.setenv("EN_BERT_NER_TOKEN", "")
    with pytest.raises(InputError, match="EN_BERT_NER_TOKEN: expected a token"):
        read_token(None)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("ner", False)],
)
def test_local_addresses(host: str, local: bool) -> None:
    assert is_local(host) == local


def test_host_names_are_restricted_only_without_other_protection() -> None:
    assert "[::1]" in allowed_hosts("[::1]", None)
    assert "127.0.0.2" in allowed_hosts("127.0.0.2", None)
    assert allowed_hosts("127.0.0.1", "s3cret") == allowed_hosts("0.0.0.0", None) == []
