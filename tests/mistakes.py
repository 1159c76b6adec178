"""Mistakes that users make, each as a small program, and the words by which its error tells how to mend it.

A row is a `Mistake`: what is wrong, the program, the class of the error (or warning), and words of the message, the
mended code among them. Whoever makes chainrule refuse one more thing adds a row; test_mistakes.py runs all of them. The
names in `NAMES` are there for each program.
"""

from __future__ import annotations

import math
import random
import statistics
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

import chainrule
from chainrule import Value, nn, optim
from chainrule.errors import (
    ArgumentError,
    DataError,
    LostUpdateWarning,
    OperandError,
    ReadOnlyError,
    SizeError,
    StaleGradientWarning,
    TraceError,
)
from chainrule.training import fit


class Mistake(NamedTuple):
    """A program with a mistake, what it raises, and words that the message has."""

    what: str
    program: str
    error: type[Exception]
    words: Sequence[str]


def names() -> dict[str, Any]:
    """What each program finds, made anew."""
    v, w = Value(2.0, label="v"), Value(3.0, label="w")
    (v * w).backward()
    return {"chainrule": chainrule, "math": math, "nn": nn, "optim": optim, "random": random, "fit": fit,
            "np": numpy, "statistics": statistics, "Value": Value, "v": v, "w": w, "values": [v, w]}  # fmt: skip


GRADIENT = "a float would lose the gradient"

MISTAKES = [
    # ---- a plain number where the Value goes on ----
    Mistake("float", "float(v)", OperandError, [GRADIENT, "v.data"]),
    Mistake("int", "int(v)", OperandError, [GRADIENT, "int(v.data)"]),
    Mistake("round", "round(v)", OperandError, [GRADIENT, "round(v.data"]),
    Mistake("round to digits", "print(round(v, 2))", OperandError, [GRADIENT, "round(v.data, 2)", 'f"{v:.2f}"']),
    Mistake("complex", "complex(v)", OperandError, [GRADIENT, "complex(v.data)"]),
    Mistake("percent", '"%.2f" % v', OperandError, [GRADIENT, 'f"{v:.2f}"', '"%.2f" % v.data']),
    Mistake("percent of several", '"%s: %.2f" % ("loss", v)', OperandError, ['f"{v:.2f}"', '"%.2f" % v.data']),
    Mistake("percent in place", 'text = "%e"\ntext %= v', OperandError, ['f"{v:.2f}"']),
    Mistake("math.tanh", "math.tanh(v)", OperandError, [GRADIENT, "say chainrule.tanh(v), not math.tanh(v)"]),
    Mistake(
        "math's function by name",
        "from math import sqrt as root\nroot(v * w)",
        OperandError,
        ["chainrule.sqrt(v), not math.sqrt(v)", "math.sqrt(v.data)"],
    ),
    Mistake("math's function of two", "math.atan2(v, w)", OperandError, ["chainrule.atan2(", "not math.atan2("]),
    Mistake("math.pow", "math.pow(2.0, v)", OperandError, ["chainrule.pow(a, b), not math.pow(a, b)"]),
    Mistake("math.fsum", "math.fsum(values)", OperandError, ["chainrule.sum(values), not math.fsum"]),
    Mistake("math.fabs", "math.fabs(v)", OperandError, ["say abs(v), not math.fabs"]),
    Mistake("math.isnan", "math.isnan(v)", OperandError, ["v != v", "math.isnan(v.data)"]),
    Mistake("math.radians", "math.radians(v)", OperandError, ["v * (math.pi / 180)"]),
    Mistake("math.gamma", "math.gamma(v)", OperandError, ["math.gamma(v.data)", "@chainrule.operation(local="]),
    Mistake("a function handed on", "list(map(math.exp, values))", OperandError, [GRADIENT, "v.data"]),
    Mistake(
        "a library",
        "statistics.fmean(values)",
        OperandError,
        ["statistics.fmean knows plain numbers alone", "[v.data for v in values]"],
    ),
    Mistake(
        "math.exp in a compiled function",
        "chainrule.compile(lambda x: math.exp(x))(1.0)",
        OperandError,
        ["say chainrule.exp(v), not math.exp(v) (in a compiled function v.data is a Value as well)"],
    ),
    Mistake(
        "float in a compiled function",
        "chainrule.compile(lambda x: float(x))(1.0)",
        OperandError,
        ["return v, and say float(y) of the result y"],
    ),
    Mistake(
        "percent in a compiled function",
        "chainrule.compile(lambda x: '%.2f' % x)(1.0)",
        OperandError,
        ['return v, and say "%.2f" % y of the result y'],
    ),
    Mistake(
        "a format in a compiled function",
        "chainrule.compile(lambda x: f'{x:.2f}')(1.0)",
        TraceError,
        ["print(v)", "return the number and format it outside"],
    ),
    Mistake("astype", "np.array(values).astype(float)", OperandError, ["np.array([v.data for v in values])"]),
    Mistake(
        "a list by a comparison",
        '["no", "yes"][v > 0]',
        OperandError,
        ["a Value is no index", "xs[bool(v > 0)]", "xs[int(v.data)]", "chainrule.select(v > 0, a, b)"],
    ),
    Mistake(
        "an index in a compiled function",
        "chainrule.compile(lambda x: [1.0, 2.0][x > 0])(1.0)",
        OperandError,
        ["chainrule.take(xs, v)", "chainrule.select(v > 0, a, b)"],
    ),
    # ---- gradients and updates ----
    Mistake("grad of None", "v.grad = None", OperandError, ["p.grad = 0.0", "zero_grad()"]),
    Mistake("data of None", "v.data = None", OperandError, ["does a function lack its return?"]),
    Mistake("data of a Value", "v.data = v - 0.1 * v.grad", OperandError, ["use .data for its number"]),
    Mistake("data of a result", "(v * w).data = 1.0", ReadOnlyError, ["write a leaf's, then refresh()"]),
    Mistake(
        "an update of a name",
        "for p in values:\n    p -= 0.1 * p.grad",
        LostUpdateWarning,
        ["line 2", "p -= …", "p.data -= learning_rate * p.grad"],
    ),
    Mistake(
        "an update of the only name",
        "for step in range(3):\n    (v**2).backward()\n    v -= v.grad * 0.01",
        LostUpdateWarning,
        ["line 3", "longer after each step", "where p is all there is", "p.data -= learning_rate * p.grad"],
    ),
    Mistake(
        "an update of a name by +=",
        "for p in values:\n    p += -0.1 * p.grad",
        LostUpdateWarning,
        ["p += …", "p.data += learning_rate * p.grad"],
    ),
    Mistake(
        "an update of a name in no_grad",
        "with chainrule.no_grad():\n    for p in values:\n        p -= 0.1 * p.grad",
        LostUpdateWarning,
        ["line 3", "p.data -= learning_rate * p.grad"],
    ),
    Mistake(
        "no zero_grad",
        "for step in range(3):\n    (v * w).backward()\n    v.data -= 0.1 * v.grad",
        StaleGradientWarning,
        ["zero the gradients once a step", "model.zero_grad()"],
    ),
    Mistake(
        "a loss before the loop",
        """
        loss = v * v
        for step in range(3):
            v.grad = 0
            loss.backward()
            v.data -= 0.1 * v.grad
        """,
        StaleGradientWarning,
        ["Make the loss anew inside the loop, or call refresh()"],
    ),
    Mistake("the graph taken apart", "(v * w)._prev = ()", ReadOnlyError, ["leave the line out", "pickle.dumps(v)"]),
    Mistake("a method hidden", "v.exp = 3", AttributeError, ["exp"]),
    Mistake("a name of other engines", "v.value", AttributeError, ["its number is v.data"]),
    Mistake("a label that is a number", "v.label = 5", OperandError, ["str(5)"]),
    Mistake(
        "backward in a compiled function",
        "chainrule.compile(lambda x: (x * x).backward())(1.0)",
        TraceError,
        ["cannot call backward()", "value_and_grad"],
    ),
    # ---- operands ----
    Mistake("a text of a number", 'v * "3"', OperandError, ["float('3')"]),
    Mistake("a text", 'v * "red"', OperandError, ["the str 'red'", "give it a number"]),
    Mistake("None", "v + None", OperandError, ["does a function lack its return?"]),
    Mistake("a list", "v + [1.0, 2.0]", OperandError, ["[f(x) for x in xs]"]),
    Mistake("a complex number", "v + 1j", OperandError, ["z.real, z.imag or abs(z)"]),
    Mistake("a Value of a list", "Value([1.0, 2.0])", OperandError, ["[f(x) for x in xs]"]),
    Mistake("a sum of operands", "chainrule.sum(v, w)", OperandError, ["2 operands", "sum(values)"]),
    Mistake("a sum of a number", "chainrule.sum(v)", OperandError, ["sum([a, b])"]),
    Mistake("an operand too many", "v.tanh(1.0)", OperandError, ["tanh(x)"]),
    Mistake("sizes of a sum", "chainrule.weighted_sum([v, w], [1.0])", SizeError, ["give one weight an input"]),
    Mistake("an operation misspelled", "chainrule.tahn(v)", AttributeError, ["no attribute 'tahn'", "'tanh'"]),
    # ---- models ----
    Mistake("sizes that are no list", "nn.MLP(3, 4)", ArgumentError, ["MLP(3, [4])", "MLP(3, [16, 4])"]),
    Mistake("no sizes", "nn.MLP(3, [])", ArgumentError, ["MLP(2, [16, 1])"]),
    Mistake("a number for a neuron", "nn.Neuron(1)(1.0)", OperandError, ["neuron([1.0])"]),
    Mistake("a Value for a neuron", "nn.Neuron(2)(v)", OperandError, ["the list of its 2 numbers", "neuron([x1, x2])"]),
    Mistake("a number for a layer", "nn.Layer(2, 3)(1.0)", OperandError, ["neuron([x1, x2])"]),
    Mistake("a number for a model", "nn.MLP(5, [4, 1])(1.0)", OperandError, ["neuron([x1, …, x5])"]),
    Mistake("a number for a Linear", "nn.Linear(1, 2)(1.0)", OperandError, ["neuron([1.0])"]),
    Mistake("too few inputs", "nn.MLP(2, [1])([1.0])", SizeError, ["x must have 2 numbers"]),
    Mistake("an activation misspelled", 'nn.MLP(2, [1], output_activation="tahn")', ArgumentError, ["'tanh'"]),
    Mistake("no forward", "class Own(nn.Module): pass\nOwn()([1.0])", NotImplementedError, ["def forward(self, x):"]),
    Mistake(
        "forward misspelled",
        "class Own(nn.Module):\n    def foward(self, x): return x\nOwn()([1.0])",
        NotImplementedError,
        ["Did you mean 'foward'?", "def forward(self, x):"],
    ),
    Mistake(
        "__call__ in place of forward",
        """
        class Own(nn.Module):
            def __init__(self):
                self.w = Value(1.0)
            def __call__(self, x):
                return self.w * x[0]
        fit(Own(), [[1.0], [2.0]], [2.0, 4.0], loss="mean_squared_error", epochs=1, progress=False)
        """,
        ArgumentError,
        ["has a __call__ of its own, which takes no batch", "forward(self, x)"],
    ),
    Mistake(
        "parameters in a set",
        """
        class Own(nn.Module):
            def __init__(self):
                self.w = {Value(1.0)}
        Own().parameters()
        """,
        ArgumentError,
        ["make it a list"],
    ),
    # ---- optimisers ----
    Mistake(
        "a rate that is set",
        "optimizer = optim.SGD(values, lr=0.1)\noptimizer.lr = 0.05",
        ReadOnlyError,
        ["optimizer.schedule = chainrule.optim.constant(0.05)"],
    ),
    Mistake(
        "decay of Adam", "optim.Adam(values, weight_decay=0.1)", ArgumentError, ["AdamW(parameters, weight_decay=0.1)"]
    ),
    Mistake("a rate by its long name", "optim.SGD(values, learning_rate=0.1)", ArgumentError, [": lr=0.1"]),
    Mistake("an option misspelled", "optim.SGD(values, momentun=0.9)", ArgumentError, ["Did you mean 'momentum'?"]),
    Mistake("a model for its parameters", "optim.SGD(nn.MLP(2, [1]), lr=0.1)", ArgumentError, ["model.parameters()"]),
    Mistake(
        "a method that is not called",
        "optim.SGD(nn.MLP(2, [1]).parameters, lr=0.1)",
        ArgumentError,
        ["model.parameters()"],
    ),
    Mistake("a rate below 0", "optim.SGD(values, lr=-0.1)", ArgumentError, ["lr must be 0 or more"]),
    # ---- training ----
    Mistake(
        "a header",
        """
        X = [["height", "weight"], [1.8, 70.0], [1.6, 60.0]]
        fit(nn.MLP(2, [1]), X, ["age", 30, 40], loss="mean_squared_error")
        """,
        DataError,
        ["X[0] has the names of columns", "X[1:]"],
    ),
    Mistake(
        "a header above text",
        """
        X = [["height"], ["1.8"], ["1.6"]]
        fit(nn.MLP(1, [1]), X, [30, 40, 50], loss="mean_squared_error")
        """,
        DataError,
        ["[[float(x) for x in row] for row in X[1:]]"],
    ),
    Mistake(
        "a header of the targets",
        """
        fit(nn.MLP(1, [1]), [[1.0], [2.0]], ["age", 30], loss="mean_squared_error")
        """,
        DataError,
        ["y[0] has the names of columns", "y[1:]"],
    ),
    Mistake(
        "no rows but numbers",
        'fit(nn.MLP(1, [1]), [1.0, 2.0], [1, 2], loss="mean_squared_error")',
        DataError,
        ["give one list a sample, such as [1.0]"],
    ),
    Mistake(
        "a row without a target",
        'fit(nn.MLP(1, [1]), [[1.0], [2.0]], [1], loss="mean_squared_error")',
        SizeError,
        ["each needs one target"],
    ),
    Mistake(
        "nan",
        "fit(nn.MLP(1, [1]), [[math.nan]], [1], loss='mean_squared_error')",
        DataError,
        ["leave the row out or fill it in"],
    ),
    Mistake(
        "a loss misspelled",
        'fit(nn.MLP(1, [1]), [[1.0]], [1], loss="mean_square_error")',
        ArgumentError,
        ["mean_squared_error"],
    ),
    # ---- compiled functions ----
    Mistake(
        "a draw in a compiled function",
        "chainrule.compile(lambda x: x * random.random())(1.0)",
        TraceError,
        ["f(x, noise)", "chainrule.random.uniform(key, i)"],
    ),
    Mistake(
        "a gradient in a compiled function",
        "chainrule.compile(lambda x: x * x.grad)(1.0)",
        TraceError,
        ["value_and_grad"],
    ),
    Mistake("a sample below 0", "chainrule.random.uniform(1, -1)", ArgumentError, ["i is -1.0", "the samples 0, 1, 2"]),
    Mistake("half a key", "chainrule.random.uniform(0.5, 1)", ArgumentError, ["the key is 0.5", "random.key(seed)"]),
]


def program_of(mistake: Mistake) -> str:
    """The text of a mistake's program, without the indentation of the table."""
    return textwrap.dedent(mistake.program).strip("\n")
