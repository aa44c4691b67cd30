from dataclasses import replace
from pathlib import Path

import pytest

from bert_ner.corpora.mit_movie import CORPUS as MOVIES
from bert_ner.corpora.registry import get_corpus
from bert_ner.corpora.sources import Kind, fetch, load_source, read_source
from bert_ner.corpora.spec import Corpus, Public
from bert_ner.errors import InputError


def unreachable(folder: Path) -> None:
    raise ConnectionError("no network")


def published(folder: Path) -> None:
    (folder / "engtrain.bio").write_text("O\tpublic\n")
    (folder / "engtest.bio").write_text("O\tpublic\n")


CORPUS = replace(MOVIES, public=Public(where="far away", fetch=unreachable))
ONLINE = replace(MOVIES, public=Public(where="far away", fetch=published))


def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    for name in names:
        path = tmp_path / "provided" / "mit_movie" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("O\tprovided\n")
    monkeypatch.setenv("NER_CORPORA", str(tmp_path / "provided"))


BOTH = ("engtrain.bio", "engtest.bio")


def test_each_place_is_replaced_by_a_better_one_and_by_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sample, then the public source, then NER_CORPORA, then the user's files; then they stay."""
    folder = tmp_path / "mit_movie"

    def states(expected: Kind) -> None:
        for corpus in (ONLINE, CORPUS):
            source = fetch(corpus, tmp_path)
            assert source.kind is expected
            assert read_source(corpus, folder) == source

    assert fetch(CORPUS, tmp_path).kind is Kind.SAMPLE
    assert (folder / "engdev.bio").exists()
    states(Kind.PUBLIC)
    assert not (folder / "engdev.bio").exists()  # was the sample's
    assert (folder / "engtrain.bio").read_text() == "O\tpublic\n"
    provide(tmp_path, monkeypatch, BOTH)
    states(Kind.PROVIDED)
    monkeypatch.delenv("NER_CORPORA")
    states(Kind.PROVIDED)
    assert fetch(CORPUS, tmp_path, allow_sample=False).kind is Kind.PROVIDED
    for name in BOTH:
        (folder / name).write_text("O\tmine\n")
    states(Kind.USER)
    assert (folder / "engtrain.bio").read_text() == "O\tmine\n"


def test_dev_split_of_the_sample_is_not_kept_next_to_the_users_files(tmp_path: Path) -> None:
    folder = tmp_path / "mit_movie"
    fetch(CORPUS, tmp_path)
    for name in BOTH:
        (folder / name).write_text("O\tmine\n")
    assert set(read_source(CORPUS, folder).files) == set(BOTH)  # also without fetching
    assert set(fetch(CORPUS, tmp_path).files) == set(BOTH)
    assert not (folder / "engdev.bio").exists()
    (folder / "engdev.bio").write_text("O\talso mine\n")
    assert set(fetch(CORPUS, tmp_path).files) == {*BOTH, "engdev.bio"}


def test_copy_of_the_sample_never_passes_as_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mit_movie"
    fetch(CORPUS, tmp_path)
    (folder / ".source.json").unlink()
    assert read_source(CORPUS, folder).kind is Kind.SAMPLE
    assert fetch(CORPUS, tmp_path).kind is Kind.SAMPLE
    (folder / "engdev.bio").unlink()
    assert read_source(CORPUS, folder).kind is Kind.SAMPLE
    monkeypatch.setenv("NER_CORPORA", str(tmp_path))
    with pytest.raises(InputError, match="is the built-in sample, not MIT Movie"):
        fetch(CORPUS, tmp_path / "elsewhere")


def test_fetching_again_changes_nothing(tmp_path: Path) -> None:
    def state() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / "mit_movie").iterdir()}

    fetch(CORPUS, tmp_path)
    before = state()
    fetch(CORPUS, tmp_path)
    assert state() == before


def test_run_killed_while_replacing_leaves_nothing_that_looks_like_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(CORPUS, tmp_path)

    class Killed(BaseException):
        pass

    copied: list[Path] = []

    def copy(source: Path, target: Path) -> None:
        if copied:
            raise Killed
        copied.append(target)
        target.write_bytes(source.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr("bert_ner.corpora.sources.shutil.copyfile", copy)
        with pytest.raises(Killed):
            fetch(ONLINE, tmp_path)
    assert fetch(ONLINE, tmp_path).kind is Kind.PUBLIC


def test_unreachable_source_is_reported_with_the_sample(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fetch(CORPUS, tmp_path)
    assert "far away cannot be reached: no network; using the built-in sample" in caplog.text
    caplog.clear()
    with pytest.raises(InputError, match=r"\(far away cannot be reached: no network\)"):
        fetch(CORPUS, tmp_path, allow_sample=False)
    assert caplog.text == ""


def test_sample_is_never_called_by_the_name_of_the_corpus_alone(tmp_path: Path) -> None:
    source = fetch(CORPUS, tmp_path)
    assert source.title == "built-in sample in the format of MIT Movie (eng)"
    assert "sample" in source.line()


def test_files_of_two_origins_are_refused(tmp_path: Path) -> None:
    fetch(CORPUS, tmp_path)
    (tmp_path / "mit_movie" / "engtrain.bio").write_text("O\tmine\n")
    with pytest.raises(InputError, match=r"has your own engtrain.bio, but not engtest.bio"):
        fetch(CORPUS, tmp_path)
    with pytest.raises(InputError, match=r"has your own engtrain.bio, but not engtest.bio"):
        read_source(CORPUS, tmp_path / "mit_movie")


def test_what_is_left_of_a_real_corpus_is_not_replaced_by_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(tmp_path, monkeypatch, BOTH)
    fetch(CORPUS, tmp_path)
    monkeypatch.delenv("NER_CORPORA")
    (tmp_path / "mit_movie" / "engtrain.bio").unlink()
    with pytest.raises(InputError, match=r"engtrain.bio: was fetched before, is missing"):
        fetch(CORPUS, tmp_path)
    assert (tmp_path / "mit_movie" / "engtest.bio").exists()
    assert fetch(ONLINE, tmp_path).kind is Kind.PUBLIC


def test_corpus_without_a_sample_is_provided_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(tmp_path, monkeypatch, BOTH)
    assert fetch(replace(CORPUS, sample=None), tmp_path).kind is Kind.PROVIDED


def test_broken_marker_is_as_none(tmp_path: Path) -> None:
    source = fetch(CORPUS, tmp_path)
    for text in ("", "[1]", '{"kind": "user", "files": [1]}', '{"kind": "nothing"}'):
        (tmp_path / "mit_movie" / ".source.json").write_text(text)
        assert fetch(CORPUS, tmp_path) == source


def test_strict_says_where_to_put_what(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        fetch(CORPUS, tmp_path, allow_sample=False)
    message = str(caught.value)
    for part in ("assets/mit_movie/", "engtrain.bio, engtest.bio", "NER_CORPORA", "far away"):
        assert part in message
    assert not (tmp_path / "mit_movie").exists()


def test_provided_folder_must_exist_and_be_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(tmp_path, monkeypatch, BOTH[:1])
    with pytest.raises(InputError, match=r"engtest.bio: not found, but NER_CORPORA has other"):
        fetch(CORPUS, tmp_path)
    monkeypatch.setenv("NER_CORPORA", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="not a folder"):
        fetch(CORPUS, tmp_path)


def test_other_corpora_in_the_provided_folder_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "provided" / "gmb").mkdir(parents=True)
    monkeypatch.setenv("NER_CORPORA", str(tmp_path / "provided"))
    assert fetch(CORPUS, tmp_path).kind is Kind.SAMPLE


def test_wrong_public_file_is_an_error_and_not_a_sample(tmp_path: Path) -> None:
    def tampered(folder: Path) -> None:
        raise InputError("wrong checksum")

    corpus: Corpus = replace(MOVIES, public=Public(where="far away", fetch=tampered))
    with pytest.raises(InputError, match="wrong checksum"):
        fetch(corpus, tmp_path)


def own(assets: Path, text: str) -> Corpus:
    (assets / "own").mkdir(exist_ok=True)
    (assets / "own" / "corpus.toml").write_text(text)
    return get_corpus("own", assets)


def test_description_of_the_users_corpus_is_part_of_its_source(tmp_path: Path) -> None:
    first = own(tmp_path, 'train = "a.txt"')
    with pytest.raises(InputError, match=r"own/a.txt: not found, but .*corpus.toml names it"):
        fetch(first, tmp_path)
    (tmp_path / "own" / "a.txt").write_text("Oslo B-LOC\n")
    source = fetch(first, tmp_path)
    assert source.kind is Kind.USER
    assert set(source.files) == {"a.txt", "corpus.toml"}
    assert load_source(tmp_path / "own" / ".source.json") == source
    changed = fetch(own(tmp_path, 'train = "a.txt"\ntoken = 1\ntag = 0'), tmp_path)
    assert changed.files["a.txt"] == source.files["a.txt"]
    assert changed.files["corpus.toml"] != source.files["corpus.toml"]
    assert load_source(tmp_path / "own" / ".source.json") == changed  # convert runs again
