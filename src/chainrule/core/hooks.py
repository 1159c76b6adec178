"""What the engine does while modes are set, or while somebody watches.

The engine calls these only where `open_modes` is not empty. So they may be slow, and a program without modes pays for
none of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from chainrule.core.anomaly import check_deposits, check_value, warn_of_swallowed
from chainrule.core.modes import PACKAGE, modes, unwatched
from chainrule.core.operation import number
from chainrule.errors import ReadOnlyError, TraceError

_VALUE_BASE = str(Path(PACKAGE, "storage", "value_base.py"))


def _recorder() -> Any:
    """Whoever records this thread. What a trace makes is no number of the program's, and is not recorded."""
    return modes.recorder if modes.trace is None else None


# ---- how a node comes to be ----
def made_leaf(node: Any) -> Any:
    """Tells of a new leaf; returns it."""
    if (recorder := _recorder()) is not None:
        recorder.made(node)
    return node


def under_modes(node: Any) -> Any:
    """Applies this thread's modes to a new result: returns it, or a plain leaf in its place, or raises AnomalyError."""
    if modes.trace is not None:
        if modes.places is not None:
            check_value(node)
        return modes.trace.made(node, modes.recording)
    made = node
    if not modes.recording:
        with unwatched():
            made = node.detach()
    if modes.recorder is not None:
        modes.recorder.made(made)
    if modes.places is not None:
        check_value(node)
    return made


# ---- what Python asks of a node ----
def seen_data(node: Any, data: float) -> Any:
    """Returns what `node.data` gives while modes are set: the number, or within a trace a node without derivative."""
    if modes.trace is not None:
        return modes.trace.data_of(node)
    if modes.recorder is not None:
        modes.recorder.asked(node, "data", data)
    return data


def seen_truth(node: Any, truth: bool) -> bool:
    """Returns what `bool(node)` gives while modes are set; a trace records the outcome as a guard."""
    if modes.trace is not None:
        return modes.trace.asked(node, truth)
    if modes.recorder is not None:
        modes.recorder.asked(node, "truth", float(truth))
    return truth


def written_out(data: float) -> float:
    """Returns a number that is to be formatted; refuses it within a trace, where the text would never change again."""
    if modes.trace is not None:
        raise TraceError(
            "a compiled function cannot format a number, since its text would stay that of the first call: print the "
            "Value itself, print(v), or return the number and format it outside"
        )
    return data


def untraced(x: Any, deed: str, node: Any = None) -> Any:
    """Returns `x`, but within a trace refuses the `deed`, which belongs outside of a compiled function. To read the
    gradient of a `node` may belong inside, in the update of an optimiser: the trace decides this."""
    if modes.trace is None:
        return x
    error = TraceError(f"a compiled function cannot {deed}: compile the loss alone, and ask value_and_grad of it")
    if node is None:
        raise error
    return modes.trace.grad_of(node, error)


def peeked(x: Any, what: str) -> Any:
    """Returns `x`, which `peek_data()`, `peek_grad()` or `locals` is to give. Within a trace only chainrule's own code,
    for which these are made, may look at it: a compiled function would keep the number of the first call."""
    if modes.trace is None:
        return x
    frame = sys._getframe(1)
    if frame.f_code.co_filename == _VALUE_BASE and frame.f_back is not None:  # which has no frame where it is compiled
        frame = frame.f_back
    if frame.f_code.co_filename.startswith(PACKAGE):
        return x
    raise TraceError(
        f"a compiled function cannot read {what}, which would stay that of the first call: say .data for the number, "
        "without its derivative, and chainrule.grad(f)(x) for a derivative within the function"
    )


def check_read(node: Any, name: str) -> None:
    """Refuses to read an attribute of the user's own within a trace, unless the Value was made there."""
    if modes.trace is not None and not modes.trace.has_made(node):
        raise TraceError(
            f"a compiled function cannot read {name!r}, an attribute of your own on a Value, which would stay that of "
            "the first call: keep it in an attribute of a Module, or give it as an argument"
        )


# ---- what is written ----
def writing(node: Any, x: Any) -> float:
    """Returns the number that `node.data = x` is to write. Refuses to write the data of a result, and any data within a
    trace."""
    if modes.trace is not None:
        error = TraceError("a compiled function cannot write .data: return the new number, and write it outside")
        modes.trace.written(node, error)
    if not node.is_leaf():
        raise ReadOnlyError(f"the data of a result ({node.op.name}) is read-only: write a leaf's, then refresh()")
    data = number(x, "Value.data")
    if (recorder := _recorder()) is not None:
        recorder.wrote(node, data)
    return data


def setting_grad(node: Any, x: Any) -> float:
    """Returns the number that `node.grad = x` is to write."""
    grad = number(x, "Value.grad")
    if (recorder := _recorder()) is not None:
        recorder.set_grad(node, grad)
    return grad


# ---- backward() ----
def began(root: Any, upstream: float) -> None:
    """Tells that `backward()` begins; refuses it within a trace."""
    untraced(upstream, "call backward()")
    if modes.recorder is not None:
        modes.recorder.began(root, upstream)


def deposited(node: Any, upstream: float) -> None:
    """Tells that a node has handed its gradient to its operands; `detect_anomaly()` raises if one is not finite."""
    if (recorder := _recorder()) is not None:
        recorder.deposited(node, upstream)
    check_deposits(node, upstream)


def stepping(node: Any) -> None:
    """Tells that one node alone is about to hand on its gradient, by `node._backward()`."""
    if (recorder := _recorder()) is not None:
        recorder.stepping(node)


def ended(root: Any) -> None:
    """Tells that `backward()` has ended, and gives the warnings that had to wait for it."""
    if (recorder := _recorder()) is not None:
        recorder.ended(root)
    warn_of_swallowed()


def unrecorded(steps: int) -> None:
    """Tells that so many training steps ran in native code, of which nothing is recorded."""
    if (recorder := _recorder()) is not None:
        recorder.unrecorded(steps)
