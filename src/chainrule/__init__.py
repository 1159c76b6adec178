"""chainrule: write scalar Python, see every derivative.

>>> import chainrule
>>> x = chainrule.Value(2.0, label="x")
>>> y = chainrule.tanh(x * 0.5)
>>> y.backward()
>>> round(x.grad, 6), round(chainrule.grad(lambda x: chainrule.tanh(x * 0.5))(2.0), 6)
(0.209987, 0.209987)
"""

from chainrule import engine, losses, nn, optim
from chainrule.engine import Value, topological_order
from chainrule.modes import detect_anomaly, no_grad
from chainrule.operation import operation
from chainrule.ops import (
    abs,
    atan,
    atan2,
    clip,
    cos,
    erf,
    erfc,
    exp,
    expm1,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    logsumexp,
    max,
    min,
    pow,
    relu,
    select,
    sigmoid,
    sin,
    softplus,
    sqrt,
    sum,
    tan,
    tanh,
    weighted_sum,
)
from chainrule.transforms import grad, hessian, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"

__all__ = [
    "Value",
    "abs",
    "atan",
    "atan2",
    "clip",
    "cos",
    "detect_anomaly",
    "engine",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "gelu",
    "grad",
    "hessian",
    "hypot",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log",
    "log1p",
    "logsumexp",
    "losses",
    "max",
    "min",
    "nn",
    "no_grad",
    "operation",
    "optim",
    "pow",
    "relu",
    "select",
    "sigmoid",
    "sin",
    "softplus",
    "sqrt",
    "sum",
    "tan",
    "tanh",
    "topological_order",
    "value_and_grad",
    "vjp",
    "weighted_sum",
]
