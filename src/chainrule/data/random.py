"""Random numbers that are functions: of a key and of counters, and of nothing else.

A generator with a state cannot be compiled, since its draws would stay those of the first call. These draws can:
`uniform(key, i, j)` is the number that the key has at the place (i, j), in plain Python as in native code, in any order
and by any thread, the same bits each time. Number the samples by i, and the draws of one sample by j; or let a `Stream`
count these:

>>> from chainrule import random
>>> key = random.key(2024)
>>> draws = random.Stream(key, 5)
>>> [draws.uniform(), draws.uniform()] == [random.uniform(key, 5, 0), random.uniform(key, 5, 1)]
True

The generator is Philox4x32-10 (Salmon et al. 2011, see `chainrule.philox`): keys and places that differ in one bit have
numbers that are independent to every known test. What is drawn at the same place is made of the same number. No
derivative flows into keys and counters, but into `mu` and `sigma` of a normal number and the items of a choice.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import ArgumentError, shown
from chainrule.ops import norm_ppf, philox, select, whole
from chainrule.ops.draws import philox4x32, words

_END = 2**53


def key(seed: int, *more: int) -> int:
    """Makes a key of a seed, and of more whole numbers, such as the number of an experiment.

    Any whole number from 0 to 2⁵³ - 1 is a key; this spreads numbers that are alike.

    Raises:
        ArgumentError: one of them is not a whole number from 0 to 2⁵³ - 1.

    >>> key(1) != key(1, 0) != key(1, 1)
    True
    """
    state = 0, 0
    for place, part in enumerate([seed, *more]):
        whole = hasattr(part, "__index__") and not hasattr(type(part), "_record")
        if not (whole and 0 <= operator.index(part) < _END):
            raise _refused("key(seed)", "the seed", part)
        low, high, *_ = philox4x32((*words(operator.index(part)), place, 1), state)
        state = low, high >> 11
    return state[0] | state[1] << 32


def uniform(key: Any, i: Any, j: Any = 0) -> Any:
    """Returns the uniform number between 0 and 1 of a key at the place (i, j); it is never 0 or 1.

    Args:
        key: a whole number from 0 to 2⁵³ - 1, such as `key(seed)` gives.
        i: the number of the sample, from 0 to 2⁵³ - 1.
        j: the number of the draw within the sample, likewise.

    Returns:
        A float, one of the 2⁵² that lie midway between multiples of 2⁻⁵². In a compiled function, where these are
        numbers of a trace, a Value.

    Raises:
        ArgumentError: one of them is not such a whole number.

    >>> uniform(0, 3, 4), uniform(0, 4, 3)
    (0.6968977055036213, 0.1889076625287972)
    """
    return philox(*[_counting(x, what) for x, what in ((key, "the key"), (i, "i"), (j, "j"))])


def normal(key: Any, i: Any, j: Any = 0, mu: Any = 0.0, sigma: Any = 1.0) -> Any:
    """Returns mu + sigma · z, where z is the standard normal number of a key at the place (i, j).

    z is the quantile of the uniform number there. Derivatives flow into `mu` and `sigma`: the pathwise method, which is
    also called reparametrisation.

    Args:
        key, i, j: as for `uniform`; the errors are the same.
        mu: the mean, a number or a Value.
        sigma: the standard deviation, likewise.

    >>> from chainrule import grad
    >>> grad(lambda sigma: normal(0, 3, 4, 1.0, sigma))(0.2) == normal(0, 3, 4)
    True
    """
    return mu + sigma * norm_ppf(uniform(key, i, j))


def choice(key: Any, items: Sequence[Any], i: Any, j: Any = 0) -> Any:
    """Returns one of the items, each as probable as the others: the one that the uniform number at (i, j) picks.

    Args:
        key, i, j: as for `uniform`; the errors are the same.
        items: numbers or Values. The derivative flows into the one that was picked.

    Raises:
        ArgumentError: there are no items.

    >>> [choice(1, [10.0, 20.0, 30.0], i) for i in range(6)]
    [30.0, 30.0, 10.0, 30.0, 10.0, 10.0]
    """
    return _picked(uniform(key, i, j), items)


def _picked(u: Any, items: Sequence[Any]) -> Any:
    count = len(items)
    if not count:
        raise ArgumentError("choice(key, items, i) of no items: give one at least")
    if not isinstance(u, Value):
        return items[sum([u >= k / count for k in range(1, count)])]
    chosen = items[-1]
    for k in range(count - 1, 0, -1):
        chosen = select(u < k / count, items[k - 1], chosen)
    return chosen


class Stream:
    """The draws of one sample, one after the other: at the places (i, 0), (i, 1), …

    Make it where it is used, in the function that is compiled; one that was made before would go on counting.

    Args:
        key: a whole number from 0 to 2⁵³ - 1, such as `key(seed)` gives.
        i: the number of the sample.

    Raises:
        ArgumentError: one of them is not a whole number from 0 to 2⁵³ - 1.

    >>> draws = Stream(key(7), 0)
    >>> pair = draws.uniform(), draws.uniform()
    >>> pair == (uniform(key(7), 0, 0), uniform(key(7), 0, 1))
    True
    """

    def __init__(self, key: Any, i: Any) -> None:
        self.key, self.i, self.drawn = _counting(key, "the key"), _counting(i, "i"), 0

    def uniform(self) -> Any:
        """Returns the next number, as `chainrule.random.uniform` does."""
        self.drawn += 1
        return philox(self.key, self.i, float(self.drawn - 1))

    def normal(self, mu: Any = 0.0, sigma: Any = 1.0) -> Any:
        """Returns the next number, as `chainrule.random.normal` does."""
        return mu + sigma * norm_ppf(self.uniform())

    def choice(self, items: Sequence[Any]) -> Any:
        """Returns the next item, as `chainrule.random.choice` does."""
        return _picked(self.uniform(), items)


def _counting(x: Any, what: str) -> Any:
    """Returns a key or counter, if it is one. (Where it is traced, that is a guard: another one is looked at anew.)"""
    if not isinstance(x, Value):
        x = number(x, what)
    if not whole(x):
        raise _refused("a draw", what, x.peek_data() if isinstance(x, Value) else x)
    return x


def _refused(where: str, what: str, x: Any) -> ArgumentError:
    return ArgumentError(
        f"{where}: {what} is {shown(x)}, but keys and counters are whole numbers from 0 to 2⁵³ - 1: make a key by "
        "chainrule.random.key(seed), and number the samples 0, 1, 2, …"
    )
