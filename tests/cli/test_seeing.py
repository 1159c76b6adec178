"""`chainrule see`: pages of expressions, programs and recordings."""

from __future__ import annotations

import sys

import pytest

import chainrule

PROGRAM = """
import sys
from chainrule import Value
if __name__ == "__main__":
    x = Value(float(sys.argv[1]))
    y = x * x
    y.backward()
    print("x.grad is", x.grad)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_expression(run, tmp_path):
    code, out, err = run("see", "tanh(x*w + b)", "x=2", "w=-3", "b=6.5")
    assert (code, out, err) == (0, "", "the page is in graph.html\n")
    html = (tmp_path / "graph.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "tanh(x*w + b)" in html


def test_a_program_runs_as_with_python(run, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    before = list(sys.argv), list(sys.path)
    code, out, err = run("see", "program.py", "3.5")
    assert (code, out, err) == (0, "x.grad is 7.0\n", "the page is in program.html\n")
    assert "y = x * x" in (tmp_path / "program.html").read_text(encoding="utf-8")
    assert (list(sys.argv), list(sys.path)) == before


def test_a_recording(run, tmp_path):
    chainrule.record(chainrule.Value(2.0) * 3).save("story.json")
    assert run("see", "story.json", "--out", "page.html", "--quiet") == (0, "", "")
    assert (tmp_path / "page.html").exists()


def test_a_page_is_written_over_and_other_files_are_not(run, tmp_path):
    assert run("see", "x*x", "x=2")[0] == 0
    assert run("see", "x*x*x", "x=2")[0] == 0
    (tmp_path / "graph.html").write_text("my notes")
    code, _, err = run("see", "x*x", "x=2")
    assert code == 2
    assert "--force" in err
    assert run("see", "x*x", "x=2", "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.py"], "no.py does not exist"),
        (["empty.py"], "made no Values"),
        (["broken.json"], "is no recording"),
        (["x*"], "cannot read the expression"),
        (["x*x"], "a variable has no number"),
        (["x*x", "x=2", "--out", "page.txt"], "must end in .html"),
    ],
)
def test_mistakes_are_one_line(run, tmp_path, words, said):
    (tmp_path / "empty.py").write_text("print('nothing')")
    (tmp_path / "broken.json").write_text("{}")
    code, _, err = run("see", *words)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_open_starts_a_browser(run, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert run("see", "x*x", "x=2", "--open")[0] == 0
    assert opened[0].startswith("file://")
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    code, _, err = run("see", "x*x", "x=2", "--open")
    assert code == 2
    assert "open graph.html yourself" in err


LECTURE = """
class Value:
    def __init__(self, data, _children=(), _op="", label=""):
        self.data, self.grad, self.label = data, 0.0, label
        self._prev, self._op, self._backward = set(_children), _op, lambda: None
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), "+")
        def _backward():
            self.grad = out.grad
            other.grad = out.grad
        out._backward = _backward
        return out
    def backward(self):
        self.grad = 1.0
        self._backward()

a = Value(3.0, label="a")
b = a + a
b.backward()
print(a.grad)
"""


def test_a_class_of_the_programs_own_is_found_and_its_mistake_told(run, tmp_path):
    (tmp_path / "mine.py").write_text(LECTURE)
    code, out, _ = run("see", "mine.py")
    assert (code, out) == (0, "1.0\n")
    html = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "a gets 1, and should get 1 + local 1 \u00d7 upstream 1 = 2: the deposit replaced what was there" in html


LAYER = """
class Layer:
    def __init__(self):
        self.weights = [1.0]
    def backward(self, upstream):
        return upstream
""" + LECTURE.replace("print(a.grad)", "print(Layer().backward(a.grad))")


def test_what_has_a_backward_and_is_no_engine_is_let_be(run, tmp_path):
    (tmp_path / "layers.py").write_text(LAYER)
    code, out, err = run("see", "layers.py")
    assert (code, out) == (0, "1.0\n"), err
    assert "a gets 1, and should get" in (tmp_path / "layers.html").read_text(encoding="utf-8")


DATACLASS = """
from dataclasses import dataclass

DECORATED
class Value:
    data: float
    children: tuple = ()
    local: tuple = ()
    grad: float = 0.0

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def backward(self, upstream=1.0):
        self.grad += upstream
        for child, local in zip(self.children, self.local):
            child.backward(local * upstream)

x = Value(3.0)
(x * x).backward()
print(x.grad)
"""


@pytest.mark.parametrize("decorator", ["@dataclass", "@dataclass(slots=True)", "@dataclass(eq=False)"])
def test_a_dataclass_is_found(run, tmp_path, decorator):
    (tmp_path / "mine.py").write_text(DATACLASS.replace("DECORATED", decorator))
    code, out, err = run("see", "mine.py")
    assert (code, out) == (0, "6.0\n"), err
    assert '["began",' in (tmp_path / "mine.html").read_text(encoding="utf-8")


def test_the_playground(run, tmp_path):
    assert run("playground") == (0, "", "the page is in playground.html\n")
    assert (tmp_path / "playground.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("playground", "--quiet") == (0, "", "")
    (tmp_path / "mine.html").write_text("my notes")
    assert run("playground", "--out", "mine.html")[0] == 2
