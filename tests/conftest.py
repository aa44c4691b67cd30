"""A tiny random BERT and tiny corpora, made on the spot."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["HF_HUB_OFFLINE"] = "1"
# Two test processes share the cores. PyTorch's threads do not survive a fork either.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
import spacy
from spacy import util
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import Config

from tests.pipes.training import Build, make_examples

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent

PATTERNS = [
    {"label": "LOC", "pattern": "Oslo"},
    {"label": "PER", "pattern": "Anna Berg"},
    {"label": "X<b>", "pattern": "hostile"},
]

NEWS = """\
-DOCSTART- -X- -X- O

Anna NNP I-NP B-PER
Berg NNP I-NP I-PER
lives VBZ I-VP O
in IN I-PP O
Oslo NNP I-NP B-LOC
. . O O

The DT I-NP O
Norwegian JJ I-NP B-MISC
works VBZ I-VP O
for IN I-PP O
Telvar NNP I-NP B-ORG
. . O O

-DOCSTART- -X- -X- O

Rain NN I-NP O
fell VBD I-VP O
in IN I-PP O
Lima NNP I-NP B-LOC
, , O O
Quito NNP I-NP B-LOC
. . O O

"""

QUERIES = """\
O\tshow
O\tme
B-GENRE\tscary
O\tmovies
O\tby
B-DIRECTOR\tlena
I-DIRECTOR\tholm

O\twho
O\tplayed
B-CHARACTER\tmoth
I-CHARACTER\tking
O\tin
B-TITLE\tglass
I-TITLE\triver

O\tany
B-YEAR\t1990s
B-GENRE\tcomedies

"""


def repeated(text: str, times: int) -> str:
    """Several copies of the text, each with a different word in the sentences."""
    return "".join(text.replace("in", f"in{i}").replace("me\n", f"me{i}\n") for i in range(times))


@pytest.fixture(autouse=True)
def _no_corpora(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the real corpora only through the fixture `real_corpora`."""
    if "real_corpora" not in request.fixturenames:
        monkeypatch.delenv("NER_CORPORA", raising=False)


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    if not os.environ.get("NER_CORPORA"):
        pytest.skip("NER_CORPORA is not set")
    return Path(os.environ["NER_CORPORA"]).resolve()


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """Native files of CoNLL-2003 and MIT Movie, as a user would put them there."""
    folder = tmp_path / "assets"
    write_assets(folder)
    return folder


def write_assets(folder: Path) -> None:
    for name, times in (("train.txt", 8), ("valid.txt", 3), ("test.txt", 3)):
        path = folder / "conll2003" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(repeated(NEWS, times))
    for name, times in (("engtrain.bio", 10), ("engtest.bio", 4)):
        path = folder / "mit_movie" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(repeated(QUERIES, times))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of one layer and 16 dimensions, with a vocabulary of characters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder") / "tiny-bert"
    folder.mkdir()
    characters = [chr(i) for i in range(33, 127) if not chr(i).isupper()]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    vocab += [f"##{c}" for c in characters]
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=512)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """An installed Chromium, headless. The test is skipped if there is none.

    Playwright runs an event loop, and `asyncio.run` fails while it runs. So the fixture
    lasts no longer than a module.
    """
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for found in map(shutil.which, names) if found), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def ruler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline in a folder that finds what `PATTERNS` says, without a score."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    folder = tmp_path_factory.mktemp("ruler") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def build(encoder: Path) -> Build:
    """Build a recipe's pipeline on the tiny encoder, with some settings changed."""

    def _build(recipe: str = "config", **changes: Any) -> Language:
        overrides = {"components.transformer.model.name": str(encoder)}
        overrides |= {key.replace("__", "."): value for key, value in changes.items()}
        config = util.load_config(ROOT / f"configs/{recipe}.cfg", overrides=overrides)
        config["training"] = {}
        config["corpora"] = {}
        fix_random_seed(1)
        nlp = util.load_model_from_config(Config(config), auto_fill=True)
        nlp.initialize(lambda: make_examples(nlp))
        return nlp

    return _build
