"""Steps refuse integers that native code cannot represent, as compiled functions do."""

import pytest

pytest.importorskip("llvmlite")

import numpy as np

import chainrule
from chainrule import Value
from chainrule.compiler.steps.step import compile_step
from chainrule.optim import SGD

TOO_LARGE = 2**53 + 1
INTEGERS = {
    "a number": (None, lambda n: n),
    "a list": (None, lambda n: [n, 2]),
    "nested lists": (None, lambda n: [[1, 2], [3, n]]),
    "a list with floats": (None, lambda n: [0.5, n]),
    "a dict": (None, lambda n: {"a": [1.0], "b": (n, 2)}),
    "a NumPy number": (None, np.int64),
    "one below zero": (None, lambda n: [1, -n]),
    "a batch": (0, lambda n: [n, 1, 2]),
    "a batch of rows": (0, lambda n: [[1, 2], [n, 2]]),
    "a batch with floats": (0, lambda n: [0.5, n]),
    "a batch as an array": (0, lambda n: np.array([1, n, 2])),
    "a batch of unsigned numbers": (0, lambda n: np.array([1, n, 2], np.uint64)),
}


def total(w, x):
    rows = x.values() if isinstance(x, dict) else x
    return sum([total(w, row) for row in rows]) if isinstance(x, list | tuple | dict) else w * x


@pytest.mark.parametrize(("dtype", "most"), [("float64", 2**53), ("float32", 2**24)])
@pytest.mark.parametrize("name", INTEGERS)
def test_integers_that_would_be_rounded_are_refused(name, dtype, most):
    axis, argument = INTEGERS[name]
    w = Value(1.0)
    step = compile_step(lambda x: total(w, x), SGD([w], lr=0.0), in_axes=axis, dtype=dtype)
    f = chainrule.compile(lambda x: total(w, x), in_axes=axis, dtype=dtype)
    step(argument(most))
    for call in (step, f, lambda x: step.run([(x,)] * 2), lambda x: step.run(iter([(x,)]))):
        with pytest.raises(chainrule.errors.OperandError, match="is an integer beyond those that floats hold exactly"):
            call(argument(most + 1))
