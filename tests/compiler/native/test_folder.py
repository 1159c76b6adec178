"""The folder of the cache: what others may have written is not run, and the run goes on without it."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
import warnings

import pytest

pytest.importorskip("llvmlite")

import chainrule
from chainrule.compiler.native import cache
from chainrule.compiler.native.folder import OWNERS, NotOursError, own_folder
from chainrule.compiler.native.llvm import Machine
from chainrule.errors import CacheWarning

pytestmark = pytest.mark.skipif(not OWNERS, reason="this system has no owners and modes of files")

TEXT = "define double @f(double %x) {{  %y = fmul double %x, {number}.0  ret double %y }}"
SOMEONE = 12345
ROOT = OWNERS and os.geteuid() == 0


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_warned", {})
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def ask(number=3):
    return cache.cached_object(TEXT.format(number=number), Machine.default())


def give_away(path, monkeypatch):
    """Makes a file someone else's: by root so; as any other user, this process takes itself for another."""
    if os.geteuid() == 0:
        os.chown(path, SOMEONE, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def refused_once(match):
    """Asks twice, and gives the one warning that there must be."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ask()
        ask()
    (warning,) = caught
    assert warning.category is CacheWarning
    assert warning.filename == __file__
    assert match in str(warning.message)
    return str(warning.message)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_closed_to_others_from_the_start(umask, place, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(place / "below"))
    before = os.umask(umask)
    try:
        ask()
    finally:
        os.umask(before)
    (file,) = (place / "below").iterdir()
    assert (mode(place), mode(place / "below"), mode(file)) == (0o700, 0o700, 0o600)


@pytest.mark.parametrize("bits", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(bits, place):
    ask()
    (file,) = place.iterdir()
    before = file.stat().st_mtime_ns
    place.chmod(bits)
    assert f"chmod go-w {place} (" in refused_once("can be written by others")
    assert list(place.iterdir()) == [file]
    assert file.stat().st_mtime_ns == before


def test_the_command_that_is_told_is_for_any_name(tmp_path, place, monkeypatch):
    odd = tmp_path / "it's $HOME"
    odd.mkdir()
    odd.chmod(0o777)
    monkeypatch.setenv(cache.VARIABLE, str(odd))
    told = refused_once("can be written by others").partition("chmod ")[2].partition(" (")[0]
    assert shlex.split(told) == ["go-w", str(odd)]


def test_a_folder_that_others_can_read_is_used(place):
    place.mkdir(mode=0o755)
    assert ask() == ask()
    assert len(list(place.iterdir())) == 1


def test_a_folder_of_another_user_is_not_used(place, monkeypatch):
    place.mkdir(mode=0o700)
    give_away(place, monkeypatch)
    refused_once("belongs to the user")
    assert list(place.iterdir()) == []


def test_nothing_is_made_in_the_home_of_another_user(place, monkeypatch):
    """As after sudo with HOME kept: root must leave nothing there that the user could not remove."""
    home = place / "home"
    home.mkdir(parents=True, mode=0o700)
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    give_away(home, monkeypatch)
    refused_once("would have to be made in")
    assert list(home.iterdir()) == []


@pytest.mark.skipif(not ROOT, reason="only root can give a file away and keep the folder")
def test_a_file_of_another_user_is_written_anew(place, monkeypatch):
    right = ask()
    (file,) = place.iterdir()
    give_away(file, monkeypatch)
    with pytest.warns(CacheWarning, match="belongs to the user"):
        assert ask() == right
    assert file.stat().st_uid == os.geteuid()


def test_a_file_that_others_can_write_is_written_anew(place):
    right = ask()
    (file,) = place.iterdir()
    file.chmod(0o666)
    with pytest.warns(CacheWarning, match="can be written by others"):
        assert ask() == right
    assert mode(file) == 0o600


def test_a_link_in_place_of_a_file_is_not_followed(place, tmp_path):
    right = ask()
    (file,) = place.iterdir()
    other = tmp_path / "other"
    file.rename(other)
    file.symlink_to(other)
    before = other.read_bytes()
    with pytest.warns(CacheWarning, match="symbolic link"):
        assert ask() == right
    assert not file.is_symlink()
    assert other.read_bytes() == before


def test_what_is_no_file_is_not_read(place):
    ask()
    (file,) = place.iterdir()
    file.unlink()
    os.mkfifo(file, 0o600)  # reading it would wait for ever
    with pytest.warns(CacheWarning, match="is no file"):
        ask()
    assert stat.S_ISREG(file.lstat().st_mode)


def test_code_under_the_name_of_other_code_is_compiled_anew(place):
    ask(3)
    (file,) = place.iterdir()
    right = ask(4)
    (other,) = set(place.iterdir()) - {file}
    other.write_bytes(file.read_bytes())
    assert ask(4) == right


def test_links_above_the_folder_are_followed(place, tmp_path, monkeypatch):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "link" / "cache"))
    ask()
    assert len(list((real / "cache").iterdir())) == 1


def test_what_is_looked_at_is_what_is_opened(place, tmp_path, monkeypatch):
    """Somebody exchanges the folder between the look and the reading: what was looked at is read."""
    right = ask()
    with own_folder(place) as folder:
        (name,) = folder.names()
        place.rename(tmp_path / "away")
        place.mkdir()
        (place / name).write_bytes(b"foreign")
        assert right in folder.read(name)


@pytest.mark.skipif(ROOT, reason="root writes wherever it likes")
def test_a_folder_that_cannot_be_written_is_read_and_nothing_is_said(place):
    right = ask(3)
    (file,) = place.iterdir()
    place.chmod(0o500)
    try:
        assert ask(3) == right
        assert ask(4) != right  # compiled, but not kept
        assert list(place.iterdir()) == [file]
    finally:
        place.chmod(0o700)


def test_sweeping_leaves_a_folder_of_others_alone(place):
    ask()
    place.chmod(0o777)
    with pytest.raises(NotOursError):
        cache.sweep(place, 0)
    assert len(list(place.iterdir())) == 1


def test_where_there_are_no_owners_the_folder_is_taken_as_it_is(place, monkeypatch):
    monkeypatch.setattr("chainrule.compiler.native.folder.OWNERS", False)
    right = ask()
    place.chmod(0o777)
    assert ask() == right
    cache.sweep(place, 0)
    assert list(place.iterdir()) == []


def test_a_run_goes_on_and_says_so_once(place):
    place.mkdir()
    place.chmod(0o777)
    code = "import chainrule; print([chainrule.compile(lambda x, k=k: x * x + k)(3.0) for k in range(3)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[9.0, 10.0, 11.0]\n"
    assert done.stderr.count("CacheWarning") == 1
    assert list(place.iterdir()) == []


def test_the_warning_names_the_users_line(place):
    place.mkdir()
    place.chmod(0o777)
    with pytest.warns(CacheWarning) as caught:
        chainrule.compile(lambda x: x * 7.25 + 1)(3.0)
    assert caught[0].filename == __file__
