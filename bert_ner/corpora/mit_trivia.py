"""MIT Movie trivia10k13: complex movie queries, another set of twelve labels."""

from .mit import FORMAT, LICENCE, PAPER, URL, published
from .sample.generate import write_mit_trivia
from .spec import Corpus

CHECKSUMS = {
    "trivia10k13train.bio": "3208087913814190b5ac6bf7a7c926d23b7cf0ab4a1734311badec4d8eaa5a82",
    "trivia10k13test.bio": "244807ba0006744a103a9449a12503641af287a869887b6d9cbb75b749e92d3d",
}

CORPUS = Corpus(
    name="mit_trivia",
    title="MIT Movie (trivia10k13)",
    pipeline="bert_trivia_ner",
    description="Entities in movie trivia questions: plots, actors, opinions, awards and more.",
    licence=LICENCE,
    url=URL,
    paper=PAPER,
    labels={
        "Actor": "actors: meryl streep",
        "Award": "awards: best picture",
        "Character_Name": "characters: captain nemo",
        "Director": "directors: agnes varda",
        "Genre": "genres: black comedy",
        "Opinion": "opinions: unforgettable",
        "Origin": "origins of the story: based on a stage play",
        "Plot": "plots: two brothers rob a bank",
        "Quote": "quotes: play it once",
        "Relationship": "relations to other films: the second sequel",
        "Soundtrack": "music: moon river",
        "Year": "years of release: 1990s",
    },
    example="in this 1995 film tom hanks plays an astronaut who cannot land on the moon",
    format=FORMAT,
    files={"train": "trivia10k13train.bio", "test": "trivia10k13test.bio"},
    optional={"dev": "trivia10k13dev.bio"},
    shares={"dev": 0.1},
    provided={name: f"mit_movie/{name}" for name in CHECKSUMS},
    public=published(CHECKSUMS),
    sample=write_mit_trivia,
)
