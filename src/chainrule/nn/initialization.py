"""Initial weights: functions of (random generator, number of inputs, number of outputs) that draw one weight."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from chainrule.errors import ArgumentError, shown, suggest

Initializer = Callable[[Any, int, int], float]


def uniform(rng: Random, nin: int, nout: int) -> float:
    """Uniform in [-1, 1] for every size of layer, as in micrograd."""
    return rng.uniform(-1, 1)


def xavier(rng: Random, nin: int, nout: int) -> float:
    """Uniform in ±√(6 / (nin + nout)), for tanh and sigmoid (Glorot and Bengio 2010, equation 16)."""
    bound = math.sqrt(6.0 / (nin + nout))
    return rng.uniform(-bound, bound)


def he(rng: Random, nin: int, nout: int) -> float:
    """Normal with mean 0 and deviation √(2 / nin), for relu and its relatives (He et al. 2015)."""
    return rng.gauss(0.0, math.sqrt(2.0 / nin))


INITIALIZERS: dict[str, Initializer] = {"uniform": uniform, "xavier": xavier, "he": he}


def initializer(init: str | Initializer) -> Initializer:
    """The initialiser with this name. A function is returned as it is.

    Raises:
        ArgumentError: there is none of that name.
    """
    if callable(init):
        return init
    if init not in INITIALIZERS:
        raise ArgumentError(f"init={shown(init)}: there are {', '.join(INITIALIZERS)}.{suggest(init, INITIALIZERS)}")
    return INITIALIZERS[init]
