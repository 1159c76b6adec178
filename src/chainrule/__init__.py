"""chainrule: write scalar Python, see every derivative.

>>> import chainrule
>>> x = chainrule.Value(2.0, label="x")
>>> y = chainrule.tanh(x * 0.5)
>>> y.backward()
>>> x.grad == chainrule.grad(lambda x: chainrule.tanh(x * 0.5))(2.0)
True
>>> f"{x.grad:.6f}"
'0.209987'
"""

import builtins
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from chainrule.core import builds  # noqa: F401 # isort: skip - before the engine is imported: it chooses which

from chainrule import data, engine, losses, nn, optim
from chainrule.check import check_gradients
from chainrule.core.anomaly import detect_anomaly
from chainrule.core.extras import require
from chainrule.core.modes import no_grad
from chainrule.core.operation import TABLE, operation
from chainrule.data import random  # noqa: F401 - no star import takes Python's
from chainrule.draw import draw, repr_html, repr_svg
from chainrule.engine import Value, topological_order
from chainrule.errors import suggest
from chainrule.explain import explain
from chainrule.ops import *  # noqa: F403 - every operation of the table, such as chainrule.exp
from chainrule.saving import load, save
from chainrule.storage import value_base
from chainrule.training import evaluate, fit
from chainrule.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

if TYPE_CHECKING:
    from chainrule import see
    from chainrule.see.recording import Recording, record, recording

value_base.display_hook = lambda value, format: repr_svg(value) if format == "svg" else repr_html(value)

__version__ = "0.1.0"

_MOVED = {
    "differences": "check.differences",
    "gradient_report": "check.report",
    "grammar": "expression.grammar",
    "notation": "explain.notation",
    "operation": "core.operation",
    "pickling": "core.pickling",
    "random": "data.random",
}
"""Modules that earlier versions had elsewhere, by the names that users import and that their pickles hold."""
for _old, _new in _MOVED.items():
    sys.modules[f"chainrule.{_old}"] = importlib.import_module(f"chainrule.{_new}")

_LATER = {
    "plots": "chainrule.plots",
    "see": "chainrule.see",
    **dict.fromkeys(("Recording", "record", "recording"), "chainrule.see.recording"),
}
"""What is imported when it is first asked for, since most programs need none of it: its name, and where it is."""
_COMPILER = {"compile": "chainrule.compiler.compiled", "compile_step": "chainrule.compiler.steps.step"}
"""What needs the extra "compiler", and is imported when it is first asked for: its name, and where it is."""
_LIBRARIES = ("numpy", "llvmlite")


def __getattr__(name: str) -> Any:
    if name in _LATER:
        module = importlib.import_module(_LATER[name])
        return module if module.__name__ == f"chainrule.{name}" else getattr(module, name)
    if name in _MOVED:
        return sys.modules[f"chainrule.{name}"]
    if name not in _COMPILER:
        hint = "" if name.startswith("_") else suggest(name, __dir__())
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}.{hint}")
    for library in _LIBRARIES:
        require(library, extra="compiler")
    return getattr(importlib.import_module(_COMPILER[name]), name)


def __dir__() -> list[str]:
    """What is chainrule's own; `compile` only if its extra is there, since `help` asks for all that it is told of."""
    compiler = _COMPILER if all(map(importlib.util.find_spec, _LIBRARIES)) else []
    own = [name for name in globals() if name in TABLE or (name.startswith("__") and name.endswith("__"))]
    return sorted({*__all__, *own, *compiler, "errors", "plots", "random", "training"})


__all__ = [
    "Recording",
    "Value",
    "check_gradients",
    "data",
    "detect_anomaly",
    "draw",
    "engine",
    "evaluate",
    "explain",
    "fit",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "load",
    "losses",
    "nn",
    "no_grad",
    "operation",
    "optim",
    "record",
    "recording",
    "save",
    "see",
    "topological_order",
    "value_and_grad",
    "vjp",
]
__all__ += [name for name in TABLE if not hasattr(builtins, name)]  # a star import leaves Python's sum and max alone
