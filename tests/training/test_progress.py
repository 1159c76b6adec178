"""What is seen: a bar in a terminal, lines or nothing elsewhere, and never a control character in a file."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import types

import pytest

from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.training import History, fit
from chainrule.training.progress import Silent, choose_display

SCRIPT = """
from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.training import fit
history = fit(MLP(2, [2, 1], seed=1), *moons(n=12), loss="binary_cross_entropy", epochs=12, validation=0.25, {options})
print(history.stopped)
"""


def run(options="", *, terminal=False, **environment):
    """Runs the script; gives its standard error."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty() if terminal else os.pipe()
    settings = os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment
    command = [sys.executable, "-c", SCRIPT.format(options=options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=settings)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # the terminal is gone with the last process that had it
        pass
    os.close(ours)
    assert process.communicate()[0] == b"done\n"
    assert process.returncode == 0
    return shown.decode()


def test_a_bar_in_a_terminal():
    pytest.importorskip("rich")
    shown = run(terminal=True)
    assert "epoch 12/12" in shown
    assert "\x1b[" in shown
    assert "loss 0." in shown
    assert "accuracy" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_bar_stays_on_one_line(columns):
    pytest.importorskip("rich")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", run(terminal=True, COLUMNS=str(columns)))
    lines = [line for line in re.split(r"[\r\n]+", shown) if line]
    assert lines
    assert all(line.startswith("epoc") and len(line) <= columns - len("^C ") for line in lines)
    assert ("(validation" in shown) == (columns == 120)


def test_the_bar_says_that_it_compiles():
    pytest.importorskip("rich")
    pytest.importorskip("llvmlite")
    shown = run("compile=True", terminal=True, CHAINRULE_CACHE="off")
    assert shown.index("compiling") < shown.index("compiled in") < shown.index("epoch 12/12")


def test_nothing_where_there_is_no_terminal_even_if_colours_are_forced():
    assert run() == run(FORCE_COLOR="1") == run(TTY_COMPATIBLE="1") == ""


def test_nothing_if_it_is_switched_off():
    assert run("progress=False", terminal=True) == ""


def test_lines_where_there_is_no_bar():
    lines = run("progress=True").splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("epoch  1/12  loss 0.")
    assert "accuracy" in lines[-1]
    assert all("\x1b" not in line for line in lines)
    assert "\x1b" not in run("progress=True", terminal=True, TERM="dumb")


def test_without_rich_there_is_no_bar_and_no_error(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    fit(MLP(2, [2, 1], seed=1), *moons(n=12), loss="binary_cross_entropy", epochs=3)
    assert sys.stderr.getvalue() == ""
    fit(MLP(2, [2, 1], seed=1), *moons(n=12), loss="binary_cross_entropy", epochs=3, progress=True)
    assert sys.stderr.getvalue().count("epoch") == 3


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_program_without_standard_error(monkeypatch, stream):
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert isinstance(choose_display(None, 5, 1), Silent)


def test_a_long_run_prints_about_ten_lines(capsys):
    fit(MLP(2, [1], seed=1), *moons(n=4), loss="binary_cross_entropy", epochs=95, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert 10 <= len(shown.err.splitlines()) <= 13
    assert shown.err.splitlines()[-1].startswith("epoch 95/95")


class Cell:
    """What a notebook does with `display`: the output of a cell, as it was shown and updated."""

    def __init__(self, monkeypatch, kernel="a kernel"):
        self.shown = []
        shell = types.SimpleNamespace(kernel=kernel)
        ipython = types.ModuleType("IPython")
        ipython.get_ipython = lambda: shell
        ipython.display = types.ModuleType("IPython.display")
        ipython.display.display = self.display
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)

    def display(self, bundle, raw, display_id):
        assert (raw, display_id) == (True, True)
        self.update(bundle, raw=raw)
        return self

    def update(self, bundle, raw):
        self.shown.append(bundle)


def test_a_bar_in_a_notebook(monkeypatch, capsys):
    cell = Cell(monkeypatch)
    fit(MLP(2, [2, 1], seed=1), *moons(n=12), loss="binary_cross_entropy", epochs=6, batch_size=4)
    assert cell.shown[0]["text/plain"] == "epoch 0/6"
    assert re.fullmatch(r"epoch 6/6  loss 0\.\d+  accuracy .*%", cell.shown[-1]["text/plain"])
    assert '<progress value="18" max="18" aria-label="training">' in cell.shown[-1]["text/html"]
    assert capsys.readouterr().err == ""


def test_messages_to_a_notebook_are_few(monkeypatch):
    cell = Cell(monkeypatch)
    now = iter(i / 1000 for i in range(10**6))
    monkeypatch.setattr("chainrule.training.progress.time.monotonic", lambda: next(now))
    display = choose_display(None, 100, 10)
    with display:
        for step in range(1000):
            display.step(step)
    assert 10 <= len(cell.shown) <= 13


def test_a_notebook_shows_the_name_of_a_metric_as_text(monkeypatch):
    cell = Cell(monkeypatch)
    with choose_display(None, 1, 1) as _:
        pass
    display = choose_display(None, 1, 1)
    with display:
        display.epoch(History([{"loss": 1.0, "<script>": 2.0}]))
    assert "<script>" not in cell.shown[-1]["text/html"]
    assert "&lt;script&gt;" in cell.shown[-1]["text/html"]


def test_in_a_notebook_it_can_be_left_out_and_ipython_in_a_terminal_is_none(monkeypatch):
    cell = Cell(monkeypatch)
    fit(MLP(2, [1], seed=1), *moons(n=4), loss="binary_cross_entropy", epochs=2, progress=False)
    assert cell.shown == []
    Cell(monkeypatch, kernel=None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(choose_display(None, 5, 1), Silent)
