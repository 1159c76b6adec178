"""Files: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from chainrule.core.files import atomic_write, check_target, read_file, remove_leftovers
from chainrule.errors import DataError, SavedFileError


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


def test_text_and_bytes_arrive_as_they_are(tmp_path):
    atomic_write(tmp_path / "a.txt", "Σ\r\nx\n")
    atomic_write(str(tmp_path / "b.bin"), b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == "Σ\r\nx\n".encode()
    assert read_file(tmp_path / "b.bin") == b"\x00\xff"
    assert names(tmp_path) == ["a.txt", "b.bin"]


def test_an_existing_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old, and longer than the new one")
    path.chmod(0o640)
    atomic_write(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, step, failure):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(*arguments):
        raise failure

    monkeypatch.setattr(*{"fsync": ("os.fsync", fail), "replace": ("pathlib.Path.replace", fail)}[step])
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else SavedFileError
    with pytest.raises(expected):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    atomic_write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_and_stays_one():
    atomic_write("/dev/null", "nothing")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("check", [check_target, lambda path: atomic_write(path, "x")])
def test_where_nothing_can_be_written(tmp_path, check):
    with pytest.raises(SavedFileError, match="is a directory"):
        check(tmp_path)
    with pytest.raises(SavedFileError, match="there is no folder"):
        check(tmp_path / "no" / "a.txt")
    with pytest.raises(SavedFileError, match="not the name of a file"):
        check(5)
    with pytest.raises(SavedFileError, match="not the name of a file"):
        check("a\0b")
    assert names(tmp_path) == []


def test_reading_what_is_not_there(tmp_path):
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(SavedFileError, match=r"modle\.json does not exist\. Did you mean 'model\.json'\?"):
        read_file(tmp_path / "modle.json")
    with pytest.raises(DataError, match="is a directory"):
        read_file(tmp_path, error=DataError)


def test_leftovers_of_a_killed_writer_are_removed_and_nothing_else(tmp_path):
    for name in [".a.json.0123abcd.tmp", "a.json", ".a.json.bak", ".b.json.0123abcd.tmp"]:
        (tmp_path / name).write_text("x")
    remove_leftovers(tmp_path / "a.json")
    assert names(tmp_path) == [".a.json.bak", ".b.json.0123abcd.tmp", "a.json"]


@pytest.mark.skipif(not Path("/dev/zero").is_char_device(), reason="no such device")
def test_what_has_no_end_is_not_read(tmp_path, monkeypatch):
    with pytest.raises(SavedFileError, match="/dev/zero is a device"):
        read_file("/dev/zero")
    monkeypatch.setattr("chainrule.core.files.MOST_BYTES", 2**20)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless, pipe_into(endless.stdout, pipe):
        with pytest.raises(DataError, match="pipe is larger than 1 MB"):
            read_file(pipe, error=DataError)
        endless.kill()
    (tmp_path / "table.csv").write_bytes(b"x" * 2**20)
    assert len(read_file(tmp_path / "table.csv")) == 2**20


def test_a_small_file_is_read_in_little_memory(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    tracemalloc.start()
    try:
        assert read_file(tmp_path / "a.csv") == b"a,b\n1,2\n"
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@contextlib.contextmanager
def pipe_into(source, target):
    """Pours a stream into a named pipe until nobody reads it."""
    with subprocess.Popen(["sh", "-c", f"cat > '{target}'"], stdin=source, stderr=subprocess.DEVNULL):
        yield


def test_a_pipe_is_read_to_its_end(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf 'a,b' > '{pipe}'"]):
        assert read_file(pipe) == b"a,b"
