"""The exceptions and warnings of chainrule, and helpers for their messages.

Each exception derives from `ChainruleError` (catch that to catch them all) and from the built-in exception that a
Python programmer would expect in its place.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable


class ChainruleError(Exception):
    """The base class of every error that chainrule raises on purpose."""


class OperandError(ChainruleError, TypeError):
    """An operand is not a real number, or an operation has the wrong number of operands."""


class ArgumentError(ChainruleError, ValueError):
    """An option or argument has an invalid value."""


class SizeError(ChainruleError, ValueError):
    """Two things that must match in size do not."""


class ReadOnlyError(ChainruleError, AttributeError):
    """An attribute that the graph needs unchanged was written."""


class MissingAttributeError(ChainruleError, AttributeError):
    """A Value has no attribute of this name, or one of a similar name was meant."""


class GraphError(ChainruleError, RuntimeError):
    """The graph is not what the call needs: changed since it was built, or not connected."""


class TraceError(ChainruleError, RuntimeError):
    """A function does something that the compiler cannot follow."""


class AnomalyError(ChainruleError, ArithmeticError):
    """Under `detect_anomaly()`: an operation made the first infinite or nan number."""


class DataError(ChainruleError, ValueError):
    """A data set or table is empty, ragged, or has cells that cannot be used."""


class SavedFileError(ChainruleError, ValueError):
    """A saved model or checkpoint is damaged, of another program, or does not fit."""


class ExpressionError(ChainruleError, ValueError):
    """A text is not an expression that chainrule can read."""


class MissingExtraError(ChainruleError, ImportError):
    """A library that an optional part of chainrule needs is not installed."""


class CacheWarning(UserWarning):
    """The folder for compiled code belongs to another user, so compiled code is not kept."""


class StaleGradientWarning(UserWarning):
    """A gradient is not this step's: earlier gradients are mixed in, or its graph is older than the numbers."""


class LostUpdateWarning(UserWarning):
    """An update such as `p -= lr * p.grad` made a new Value, and left the parameter as it was."""


class SlowWarning(UserWarning):
    """Compiled code repeatedly did much work in a slower way than by native code."""


class SwallowedInfinityWarning(UserWarning):
    """Under `detect_anomaly()`: an infinite slope met a zero in the chain rule, so nothing was deposited."""


def suggest(name: object, known: Iterable[str]) -> str:
    """A hint for a mistyped name, to append to an error message; empty if no name is similar, or it is not text.

    >>> suggest("tahn", ["tan", "tanh", "exp"])
    " Did you mean 'tanh'?"
    >>> suggest("zzz", ["tanh", "exp"])
    ''
    """
    if not isinstance(name, str):
        return ""
    close = difflib.get_close_matches(name, list(known), n=3)
    swapped = [other for other in close if sorted(other) == sorted(name)]  # transposed letters first
    return f" Did you mean {[*swapped, *close][0]!r}?" if close else ""


def shown(x: object, width: int = 60) -> str:
    """The text of any object for a message: short, however large or deeply nested the object is.

    >>> shown([1.5, "a"]), shown(list(range(1000)), 20)
    ("[1.5, 'a']", '[0, 1, 2, 3, 4, 5...')
    >>> shown(10**5000)
    'an integer of 16610 bits'
    """
    try:
        text = _brief.repr(x) if isinstance(x, list | tuple | dict | set | frozenset) else repr(x)
    except Exception:  # a repr of the user's own may raise anything; and Python writes no integer of so many digits
        text = f"an integer of {int.bit_length(x)} bits" if isinstance(x, int) else object.__repr__(x)
    return text if len(text) <= width else text[: width - 3] + "..."


_brief = reprlib.Repr()
_brief.repr_int = lambda x, level: shown(x, _brief.maxlong)  # type: ignore[method-assign]
_brief.maxlist = _brief.maxtuple = _brief.maxdict = _brief.maxset = _brief.maxfrozenset = 20
_brief.maxstring = _brief.maxother = _brief.maxlong = 200
