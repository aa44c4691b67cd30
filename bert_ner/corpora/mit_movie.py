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
        "ACTOR": "actors: meryl streep",
        "CHARACTER": "characters: captain nemo",
        "DIRECTOR": "directors: agnes varda",
        "GENRE": "genres: black comedy",
        "PLOT": "plots and topics: bank robbery",
        "RATING": "age ratings: pg 13",
        "RATINGS_AVERAGE": "average ratings: four stars",
        "REVIEW": "reviews: critically acclaimed",
        "SONG": "songs: moon river",
        "TITLE": "titles: the third man",
        "TRAILER": "words for a trailer: preview",
        "YEAR": "years of release: 1990s",
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
