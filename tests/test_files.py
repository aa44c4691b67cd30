from pathlib import Path

import pytest

from bert_ner.errors import InputError
from bert_ner.files import replacing, write_json


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
    with pytest.raises(InputError, match="is a folder and would be lost"):
        write_json(tmp_path / "folder", {})
    assert (tmp_path / "folder" / "kept").exists()

    def write_folder(path: Path) -> None:
        with replacing(path) as partial:
            partial.mkdir()

    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file and would be lost"):
        write_folder(tmp_path / "file")
    with pytest.raises(InputError, match="not a name"):
        write_json(Path(), {})
