"""The disk cache: found again, and never a wrong number, whatever happened to the files."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.native import cache
from chainrule.compiler.native.llvm import Machine, load

TEXT = "define double @f(double %x) {{  %y = fmul double %x, {number}.0  ret double %y }}"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def times(number):
    library = load(cache.cached_object(TEXT.format(number=number), Machine.default()))
    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(library.address("f"))(2.0)


def refuse(*args):
    raise AssertionError("compiled again")


def test_what_was_compiled_is_found_again(place, monkeypatch):
    assert times(3) == 6.0
    monkeypatch.setattr(cache, "compile_to_object", refuse)
    assert times(3) == 6.0
    with pytest.raises(AssertionError):
        times(4)


@pytest.mark.parametrize("length", [0, 1, 23, 24, 40, 56, 57, 100, -1])
def test_a_file_that_is_cut_off_is_written_anew(place, length):
    assert times(3) == 6.0
    (file,) = place.glob("*.o")
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert times(3) == 6.0
    assert file.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, cache.MAGIC + bytes(200)])
def test_a_foreign_file_is_written_anew(place, content):
    assert times(3) == 6.0
    (file,) = place.glob("*.o")
    file.write_bytes(content)
    assert times(3) == 6.0


def test_a_changed_byte_is_noticed(place):
    assert times(3) == 6.0
    (file,) = place.glob("*.o")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    assert times(3) == 6.0


def test_off_means_no_files(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert times(3) == 6.0
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    assert times(3) == 6.0


def test_no_space_left_is_no_cache(place, monkeypatch):
    monkeypatch.setattr(os, "fdopen", lambda *args: (_ for _ in ()).throw(OSError("no space")))
    assert times(3) == 6.0
    assert not list(place.glob("*"))


def test_what_was_not_used_for_longest_goes_first(place):
    for number in (3, 4, 5):
        times(number)
    files = sorted(place.glob("*.o"), key=lambda path: path.stat().st_mtime_ns)
    size = files[0].stat().st_size
    cache.sweep(place, 2 * size)
    assert sorted(place.glob("*.o")) == sorted(files[1:])


def test_what_is_not_the_caches_own_is_left_alone(place):
    place.mkdir()
    others = [place / "mycode.o", place / "download.iso.part"]
    for other in others:
        other.write_bytes(b"x" * 1000)
        os.utime(other, (0, 0))
    times(3)
    (own,) = set(place.iterdir()) - set(others)
    left = place / (own.stem + "_left.part")
    left.write_bytes(b"")
    os.utime(left, (0, 0))
    cache.sweep(place, 0)
    assert sorted(place.iterdir()) == sorted(others)


def _many_times(numbers):
    for number in numbers:
        assert times(number) == 2.0 * number


@pytest.mark.skipif(sys.platform == "win32", reason="spawning is slow there")
def test_processes_at_once(place):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_many_times, args=(list(range(2, 12)),)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    _many_times(range(2, 12))
