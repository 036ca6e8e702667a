"""Atomic writes: a reader finds the new file or folder, or the previous one; unreadable JSON is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file, atomic_folder, read_json, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "data" / "raw"
    with atomic_folder(path) as partial:
        (partial / "a").write_text("a", encoding="utf-8")
        assert not path.exists()
    assert (path / "a").read_text(encoding="utf-8") == "a"
    assert names(tmp_path / "data") == ["raw"]


def test_a_folder_replaces_the_previous_one(tmp_path):
    path = tmp_path / "raw"
    for name in "ab":
        with atomic_folder(path) as partial:
            (partial / name).touch()
    assert names(path) == ["b"]


def test_an_error_leaves_the_previous_folder_and_nothing_else(tmp_path):
    path = tmp_path / "raw"
    with atomic_folder(path) as partial:
        (partial / "a").touch()
    with pytest.raises(FileNotFoundError), atomic_folder(path) as partial:
        (partial / "b" / "of" / "a" / "missing" / "folder").touch()
    assert names(path) == ["a"]
    assert names(tmp_path) == ["raw"]


def test_the_files_of_a_killed_process_are_not_reused(tmp_path):
    (tmp_path / "raw.partial").mkdir()
    (tmp_path / "raw.partial" / "old").touch()
    with atomic_folder(tmp_path / "raw") as partial:
        (partial / "new").touch()
    assert names(tmp_path / "raw") == ["new"]


def test_json_is_read_as_it_was_written(tmp_path):
    value = {"accuracy": 0.1 + 0.2, "names": ["é", "日本"], "none": None, "nested": {"a": [1, 2.5, True]}}
    path = tmp_path / "reports" / "train" / "a.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").endswith("}\n")
    assert names(path.parent) == ["a.json"]


def test_a_value_that_is_not_json_leaves_the_previous_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": 1, "b": object()})
    assert read_json(path) == {"a": 1}
    assert names(tmp_path) == ["a.json"]


def test_missing_or_corrupt_json_is_a_one_line_error_with_a_cure(tmp_path):
    with pytest.raises(UserError, match=r"a\.json is missing: run `dvc repro`"):
        read_json(tmp_path / "a.json")
    for content in (b"", b'{"a": ', b"\xff\xfe"):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(UserError, match=r"holds a corrupt file \(\w+\): `dvc checkout --force "):
            read_json(tmp_path / "a.json")


def test_json_is_utf_8_whatever_the_locale(tmp_path):
    code = "import sys; from sentiment_rnn.files import read_json; print(ascii(read_json(sys.argv[1])))"
    write_json(tmp_path / "a.json", ["é日"])
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code, tmp_path / "a.json"],
        env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ascii(["é日"])


def test_a_file_is_replaced_through_links_and_keeps_its_mode(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o600)
    link.symlink_to(target)
    with atomic_file(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["link", "target"]


def test_a_pipe_and_a_device_are_written_to_and_stay(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    with atomic_file(pipe) as file:
        file.write("through the pipe")
    assert reader.communicate(timeout=10)[0] == "through the pipe"
    assert pipe.is_fifo()
    with atomic_file("/dev/null") as file:
        file.write("gone")
    assert Path("/dev/null").is_char_device()
    writes = "from sentiment_rnn.files import atomic_file\nwith atomic_file('/dev/stdout') as file: file.write('out')"
    done = subprocess.run([sys.executable, "-c", writes], capture_output=True, text=True, check=True)
    assert done.stdout == "out"
