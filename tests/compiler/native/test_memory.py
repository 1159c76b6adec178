"""Memory for native code: where it begins, and the pages around it where addresses are checked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

import numpy as np

from chainrule.compiler.native.memory import BOUNDS, CACHE_LINE, aligned, for_native_code, is_checked

SIZES = [1, 7, 8, 9, 511, 512, 513, 5000]


@pytest.mark.parametrize("checked", ["", "0", "1"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_memory_begins_with_a_line_of_the_caches_and_is_zero(checked, dtype, monkeypatch):
    monkeypatch.setenv(BOUNDS, checked)
    assert is_checked() == (checked == "1")
    for size in [*SIZES, *SIZES]:
        room = aligned([size], dtype)
        assert room.shape == (size,)
        assert room.ctypes.data % CACHE_LINE == 0
        assert not room.any()
        room[...] = 1


def test_a_copy_is_made_where_addresses_are_checked(monkeypatch):
    array = np.arange(6.0).reshape(2, 3)
    monkeypatch.delenv(BOUNDS, raising=False)
    assert for_native_code(array) is array
    monkeypatch.setenv(BOUNDS, "1")
    copy = for_native_code(array)
    assert copy is not array
    assert copy.tolist() == array.tolist()


TOUCH = """
import ctypes, os
from chainrule.compiler.native.memory import aligned
rooms = [aligned([{size}], "float64") for _ in range(2)]
for room in rooms:
    ctypes.c_double.from_address(room.ctypes.data + 8 * {at}).value
print("alive")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="guard pages are made with mprotect")
@pytest.mark.parametrize(("size", "at", "dies"), [
    (8, 8, True), (64, 64, True), (512, 512, True), (512, -1, True), (64, 63, False), (64, 0, False),
    (64, -513, True), (64, 512, True), (63, -1, True), (63, 64, True), (63, 62, False),
])  # fmt: skip
def test_who_goes_beside_memory_is_stopped(size, at, dies):
    """Of two areas that cannot both begin with a line and end with the page, one does this and the other that."""
    text = TOUCH.format(size=size, at=at)
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=os.environ | {BOUNDS: "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == (-signal.SIGSEGV if dies else 0), done.stderr
    assert done.stdout == ("" if dies else "alive\n")
