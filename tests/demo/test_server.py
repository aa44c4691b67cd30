"""The demo as a process: it starts, serves its page and stops without errors (see `app`)."""

from urllib.request import urlopen

import pytest

from tests.demo.helpers import App


@pytest.mark.slow
def test_the_page_is_served(app: App) -> None:
    with urlopen(app.url) as answer:
        assert answer.status == 200
        assert b"<title>Streamlit</title>" in answer.read()
