"""A class that is watched behaves as ever, and is put back as it was."""

from __future__ import annotations

import copy
import inspect
import threading

import pytest

import chainrule
from chainrule.errors import ArgumentError

from .engines import ENGINES, lecture, microgpt, squash


def test_classes_that_inherit_are_watched():
    class Value(lecture()):
        """Adds nothing."""

    before = dict(vars(Value))
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        (a * a + a).backward()
    assert dict(vars(Value)) == before
    assert [operation.name for operation in story.operations] == ["mul", "add"]
    assert len(story.deposits()) == 4


def test_objects_behave_as_ever_while_they_are_watched():
    class Value(lecture()):
        def late(self):
            return hasattr(self, "grad")

    with chainrule.recording(Value=Value):
        a = Value(2.0, label="a")
        assert vars(a)["data"] == 2.0
        assert copy.copy(a).label == "a"
        assert inspect.signature(Value.__init__).parameters["label"].default == ""
        assert Value.tanh.__name__ == "tanh"
        del a.grad
        assert not a.late()
        with pytest.raises(AttributeError, match="has no attribute 'grad'"):
            a.grad += 1.0
    microgpts = microgpt()
    with chainrule.recording(Value=microgpts):
        raw = microgpts.__new__(microgpts)
        with pytest.raises(AttributeError):
            raw.grad  # noqa: B018


def test_another_thread_is_not_recorded():
    Value = lecture()
    with chainrule.recording(Value=Value) as story:
        a = Value(2.0)
        other = threading.Thread(target=lambda: (Value(2.0) * Value(3.0)).backward())
        other.start()
        other.join()
        squash(a).backward()
    assert len(story.nodes) == 2
    assert len(story.deposits()) == 1


def test_the_class_is_put_back_after_an_error():
    Value = ENGINES["micrograd"]()
    before = dict(vars(Value))
    with pytest.raises(ZeroDivisionError), chainrule.recording(Value=Value) as story:
        Value(1.0) + 1 / 0
    assert dict(vars(Value)) == before
    assert len(story.nodes) == 1


def test_a_class_that_refuses_to_be_changed_is_left_as_it_was():
    class Closed(type):
        def __setattr__(cls, name, thing):
            if name == "backward" and not hasattr(thing, "_free"):
                raise TypeError("backward is final")
            super().__setattr__(name, thing)

    class Value(metaclass=Closed):
        def __init__(self, data):
            self.data, self.grad = data, 0.0

        def backward(self):
            self.grad = 1.0

    before = dict(vars(Value))
    with (
        pytest.raises(ArgumentError, match="Value cannot be watched: backward is final"),
        chainrule.recording(Value=Value),
    ):
        pass
    assert dict(vars(Value)) == before


class NoGradient:
    def __init__(self, data):
        self.data = data

    def backward(self): ...


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (int, r"int has no method backward\(\)"),
        (3, r"takes a class, not an object of int: Value=type\(x\)"),
        (NoGradient, r"NoGradient keeps its gradient under no name that is known: call it self\.grad"),
    ],
)
def test_what_cannot_be_watched_is_refused(thing, words):
    with pytest.raises(ArgumentError, match=words), chainrule.recording(Value=thing):
        pass
