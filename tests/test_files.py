from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.files import read_json, read_toml, replacing, require, sha256, write_json


def test_file_and_folder_appear_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "new" / "file") as partial:
        partial.write_text("whole")
        assert not (tmp_path / "new" / "file").exists()
    for text in ("first", "second"):
        with replacing(tmp_path / "folder") as partial:
            partial.mkdir()
            (partial / text).write_text(text)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["second"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new"]


def test_failure_keeps_what_was_there(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"kept": True})

    def fail() -> None:
        with replacing(tmp_path / "file.json") as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]
    assert "kept" in (tmp_path / "file.json").read_text()


def test_folder_is_restored_after_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    (tmp_path / ".folder.old").mkdir()
    (tmp_path / ".folder.partial").mkdir()

    def fail() -> None:
        with replacing(tmp_path / "folder"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_folder_is_not_lost_to_a_file_nor_a_file_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").touch()
    with pytest.raises(InputError, match="is a folder and would be overwritten"):
        write_json(tmp_path / "folder", {})
    assert (tmp_path / "folder" / "kept").exists()

    def write_folder(path: Path) -> None:
        with replacing(path) as partial:
            partial.mkdir()

    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file and would be overwritten"):
        write_folder(tmp_path / "file")
    with pytest.raises(InputError, match="not a name"):
        write_json(Path(), {})


def test_reading_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"text": "Zoë", "list": [1]})
    assert read_json(path) == {"text": "Zoë", "list": [1]}
    assert path.read_bytes() == '{\n  "text": "Zoë",\n  "list": [\n    1\n  ]\n}\n'.encode()


@pytest.mark.parametrize("content", [b"{", b"\xff", b""])
def test_json_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"file.json: not valid JSON: "):
        read_json(path)


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(b'\xef\xbb\xbfkey = "value"\n')  # with a byte order mark
    assert read_toml(path) == {"key": "value"}
    path.write_bytes(b"key = \xff")
    with pytest.raises(InputError, match=r"file.toml: not valid TOML: "):
        read_toml(path)


def test_required_files(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    require(tmp_path, tmp_path / "a")
    with pytest.raises(InputError, match=r"b: not found. Run the steps before this one first"):
        require(tmp_path / "a", tmp_path / "b")


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("abc")
    assert sha256(tmp_path / "file").startswith("ba7816bf8f01cfea")
