"""MIT Movie eng: simple spoken movie queries, twelve labels, no dev split."""

from .mit import FORMAT, LICENCE, PAPER, URL, published
from .sample.generate import write_mit_movie
from .spec import Corpus

CHECKSUMS = {
    "engtrain.bio": "68d90d7b29bc7dbf54efce6dfddbcdcb685293a00eaf76cd48c3acb5d3b68fe8",
    "engtest.bio": "2ba7c6da2e5c1d897ebbcbcefad9e0f03eed41b183106e7f26b7f24b704282fd",
}

CORPUS = Corpus(
    name="mit_movie",
    title="MIT Movie (eng)",
    pipeline="bert_movie_ner",
    description="Entities in movie queries: titles, actors, genres, years, plots and more.",
    licence=LICENCE,
    url=URL,
    paper=PAPER,
    labels={
        "ACTOR": "who plays in a film: meryl streep",
        "CHARACTER": "whom an actor plays: captain nemo",
        "DIRECTOR": "who directs it: agnes varda",
        "GENRE": "its genre: black comedy",
        "PLOT": "what it is about: bank robbery",
        "RATING": "for what age it is: pg 13",
        "RATINGS_AVERAGE": "what is thought of it on average: four stars",
        "REVIEW": "how it is reviewed: critically acclaimed",
        "SONG": "a song in it: moon river",
        "TITLE": "its title: the third man",
        "TRAILER": "a word for its trailer: preview",
        "YEAR": "when it was made: 1990s",
    },
    example="show me a black comedy from the 1990s directed by agnes varda",
    format=FORMAT,
    files={"train": "engtrain.bio", "test": "engtest.bio"},
    optional={"dev": "engdev.bio"},
    shares={"dev": 0.1},
    provided={name: f"mit_movie/{name}" for name in CHECKSUMS},
    public=published(CHECKSUMS),
    sample=write_mit_movie,
)
