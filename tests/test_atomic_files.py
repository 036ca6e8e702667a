"""A reader finds the whole of a file or folder, or what stood there before."""

import pytest

from sentiment_rnn.files import atomic_folder, read_json, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "data" / "raw"
    with atomic_folder(path) as partial:
        (partial / "a").write_text("a")
        assert not path.exists()
    assert (path / "a").read_text() == "a"
    assert names(tmp_path / "data") == ["raw"]


def test_a_whole_folder_replaces_the_one_before(tmp_path):
    path = tmp_path / "raw"
    for name in "ab":
        with atomic_folder(path) as partial:
            (partial / name).touch()
    assert names(path) == ["b"]


def test_an_error_leaves_the_folder_before_and_nothing_else(tmp_path):
    path = tmp_path / "raw"
    with atomic_folder(path) as partial:
        (partial / "a").touch()
    with pytest.raises(FileNotFoundError), atomic_folder(path) as partial:
        (partial / "b" / "of" / "a" / "missing" / "folder").touch()
    assert names(path) == ["a"]
    assert names(tmp_path) == ["raw"]


def test_what_a_killed_process_left_is_not_taken_over(tmp_path):
    (tmp_path / "raw.partial").mkdir()
    (tmp_path / "raw.partial" / "old").touch()
    with atomic_folder(tmp_path / "raw") as partial:
        (partial / "new").touch()
    assert names(tmp_path / "raw") == ["new"]


def test_json_is_read_back_as_it_was_written(tmp_path):
    value = {"accuracy": 0.1 + 0.2, "names": ["é", "日本"], "none": None, "nested": {"a": [1, 2.5, True]}}
    path = tmp_path / "reports" / "train" / "a.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text().endswith("}\n")
    assert names(path.parent) == ["a.json"]


def test_a_value_that_json_lacks_leaves_the_file_before(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": 1, "b": object()})
    assert read_json(path) == {"a": 1}
    assert names(tmp_path) == ["a.json"]
