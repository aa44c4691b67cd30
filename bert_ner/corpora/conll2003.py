"""CoNLL-2003 English: news, four labels, documents."""

from functools import partial

from .formats import ColumnFormat
from .public import HubTable, fetch_hub_table
from .sample.generate import write_conll
from .spec import Corpus, Public

FORMAT = ColumnFormat(token=0, pos=1, tag=3, columns=4, separator=" ", document_marker="-DOCSTART-")

# A Parquet copy of the data set, at a fixed revision: the script of the original does
# not run in `datasets` 4 and later.
HUB = HubTable(
    name="lhoestq/conll2003",
    revision="19edcb426bfd625c275c17b9a99b2239243f4377",
    files={"train": "train.txt", "validation": "valid.txt", "test": "test.txt"},
    columns=("tokens", "pos_tags", "chunk_tags", "ner_tags"),
    sentences={"train": 14041, "validation": 3250, "test": 3453},
)

CORPUS = Corpus(
    name="conll2003",
    title="CoNLL-2003",
    pipeline="bert_ner",
    description="Entities in English news: PER, ORG, LOC, MISC.",
    licence="Reuters RCV1 text under a research agreement: not redistributable",
    url="https://www.clips.uantwerpen.be/conll2003/ner/",
    paper="Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task: "
    "Language-Independent Named Entity Recognition, CoNLL 2003",
    labels={
        "LOC": "places: Lake Geneva",
        "MISC": "other names, such as nationalities, events and works: Peruvian",
        "ORG": "organisations: Bank of Ireland",
        "PER": "people: Ada Lovelace",
    },
    example="Maria Olsen of the World Bank flew from Nairobi to Berlin.",
    format=FORMAT,
    files={"train": "train.txt", "dev": "valid.txt", "test": "test.txt"},
    corrected="conllpp_test.txt",
    provided={
        "train.txt": "conll2003/train.txt",
        "valid.txt": "conll2003/valid.txt",
        "test.txt": "conll2003/test.txt",
    },
    sentences_per_document=10,
    public=Public(where=f"the Hub ({HUB.name})", fetch=partial(fetch_hub_table, HUB)),
    sample=write_conll,
)
