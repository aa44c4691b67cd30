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
        "Actor": "who plays in a film: meryl streep",
        "Award": "a prize it won: best picture",
        "Character_Name": "whom an actor plays: captain nemo",
        "Director": "who directs it: agnes varda",
        "Genre": "its genre: black comedy",
        "Opinion": "what is thought of it: unforgettable",
        "Origin": "what it was made from: based on a stage play",
        "Plot": "what it is about: two brothers rob a bank",
        "Quote": "a line spoken in it: play it once",
        "Relationship": "how it belongs to other films: the second sequel",
        "Soundtrack": "its music: moon river",
        "Year": "when it was made: 1990s",
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
