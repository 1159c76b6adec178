"""The learner's engine at work: recorded on a small graph, for the stepper."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from chainrule import ops
from chainrule.core.files import read_file
from chainrule.engine import Value
from chainrule.errors import ArgumentError
from chainrule.see.recording import record, recording
from chainrule.see.recording.document import Recording
from chainrule.see.recording.events import Made

PROGRAM = """a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
e = a * b
d = e + c
L = d * f + d
"""
"""What is calculated: `d` is used twice."""


def story_of(file: Path) -> Recording:
    """A recording of the learner's engine, forward and, if it has `backward()`, back.

    The file is run in this process: it is the learner's own, as if they ran it.

    Raises:
        ArgumentError: it defines no Value, or cannot do what is asked of it.
    """
    module = sys.modules["my"] = ModuleType("my")
    text = read_file(file).decode("utf-8-sig")
    try:
        exec(compile(text, str(file), "exec"), module.__dict__)
        value: Any = module.__dict__["Value"]
        return _recorded(value)
    except KeyError:
        raise ArgumentError(f"{file.name} defines no Value yet") from None
    except ArgumentError:
        raise
    except Exception as error:
        raise ArgumentError(f"{file.name} cannot calculate yet ({type(error).__name__}: {error})") from None


def _recorded(value: type) -> Recording:
    if not hasattr(value, "backward"):
        names: dict[str, Any] = {"Value": value}
        exec(PROGRAM, names)
        return _forward_alone(names["L"])
    names = {"Value": value}
    with recording(Value=value, title="Your engine") as story:
        exec(compile(PROGRAM, "<what your engine calculates>", "exec"), names)
        names["L"].backward()
    return story


def _forward_alone(root: Any) -> Recording:
    """The graph that an engine without backward() has built, by the operands and the sign that each result keeps."""
    made: dict[int, Value] = {}

    def copied(node: Any) -> Value:
        if id(node) not in made:
            operands = [copied(child) for child in node._children]
            result = Value(node.data) if not operands else ops.add(*operands) if node._op == "+" else ops.mul(*operands)
            if result.data != node.data:
                raise ArgumentError(f"your engine has {node.data!r} for {node._op!r} where {result.data!r} is right")
            made[id(node)] = result
        return made[id(node)]

    story = record(copied(root), title="The graph that your engine builds; it has no backward() yet")
    story.events = [event for event in story.events if isinstance(event, Made)]
    return story
