"""GMB: the "annotated corpus for NER" table, eight labels, no splits."""

from .formats import CsvFormat
from .sample.generate import write_gmb
from .spec import Corpus

CORPUS = Corpus(
    name="gmb",
    title="GMB",
    pipeline="bert_gmb_ner",
    description="Entities in English news: geo, gpe, org, per, tim, art, eve, nat.",
    licence="no licence stated with this copy: not redistributable",
    url="https://gmb.let.rug.nl/",
    paper="Bos, Basile, Evang, Venhuizen and Bjerva, The Groningen Meaning Bank, in: Handbook of "
    "Linguistic Annotation, 2017",
    labels={
        "art": "works and products: Mona Lisa",
        "eve": "events: World War II",
        "geo": "places: Lake Geneva",
        "gpe": "nationalities and states as actors: Peruvian",
        "nat": "natural phenomena: Hurricane Katrina",
        "org": "organisations: Bank of Ireland",
        "per": "people: Ada Lovelace",
        "tim": "times: Tuesday",
    },
    example="Maria Olsen of the World Bank flew from Nairobi to Berlin on Tuesday.",
    format=CsvFormat(sentence="Sentence #", token="Word", pos="POS", tag="Tag", encoding="cp1252"),
    files={"train": "ner_dataset.csv"},
    shares={"dev": 0.1, "test": 0.1},
    provided={"ner_dataset.csv": "gmb/ner_dataset.csv"},
    sample=write_gmb,
)
