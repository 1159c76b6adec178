"""`Module`: whatever has parameters; it finds them by itself in its attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chainrule.engine import Value
from chainrule.errors import SavedFileError, SizeError, suggest
from chainrule.operation import number


class Module:
    """The base of models and their parts.

    A subclass keeps its parameters (Values that are leaves) and its parts (other Modules) in attributes, also in
    lists, tuples and dicts there, and says in `forward` what it does with one sample.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.shift = Value(2.0), Value(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x[0] + self.shift
    >>> line = Line()
    >>> line([3.0]).data, [y.data for y in line([[3.0], [4.0]])], line.state_dict()
    (7.0, [7.0, 9.0], {'slope': 2.0, 'shift': 1.0})
    """

    def __call__(self, x: Any) -> Any:
        """`forward` of one sample (a list of numbers), or of each sample of a batch (a list of those)."""
        return [self.forward(row) for row in x] if _is_batch(x) else self.forward(x)

    def forward(self, x: Any) -> Any:
        """What the model makes of one sample; a subclass says."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x)")

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Every parameter with its name, such as `layers.0.neurons.3.w.1`; one that stands in two places comes once."""
        found: dict[int, tuple[str, Value]] = {}
        _name(self, "", found)
        return list(found.values())

    def parameters(self) -> list[Value]:
        """Every parameter, in the order of `named_parameters`."""
        found: dict[int, Value] = {}
        _find(self, found)
        return list(found.values())

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to 0: once a step, before `backward()`."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The number of every parameter, by name."""
        return {name: value.data for name, value in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Sets every parameter from a `state_dict`. Either all of it fits, or nothing is changed.

        Raises:
            SizeError: a name is missing or unknown.
            OperandError: an entry is not a number.
        """
        named = dict(self.named_parameters())
        missing, unknown = [n for n in named if n not in state], [n for n in state if n not in named]
        if missing:
            raise SizeError(f"the state lacks {missing[0]!r} (and {len(missing) - 1} more) of {type(self).__name__}")
        if unknown:
            hint = suggest(unknown[0], named)
            raise SizeError(f"the state has {unknown[0]!r} (and {len(unknown) - 1} more), which is unknown here.{hint}")
        numbers = {name: number(state[name], name) for name in named}
        for name, value in named.items():
            value.data = numbers[name]

    def config(self) -> dict[str, Any]:
        """What `nn.from_config` needs to build the same model again, without its numbers.

        Raises:
            SavedFileError: this kind of model cannot be rebuilt from a file.
        """
        kind = type(self).__name__
        raise SavedFileError(f"{kind} is of your own making: load its file with load(path, model={kind}(...))")


def _is_batch(x: Any) -> bool:
    """Whether x is a list (or array) of samples, rather than of numbers."""
    try:
        return len(x) > 0 and hasattr(x[0], "__len__") and not isinstance(x, str)
    except (TypeError, KeyError, IndexError):
        return False


_HOLDERS = (list, Module, tuple, dict)


def _parts(thing: Any) -> tuple[Iterable[Any], Iterable[Any]]:
    """The names and the things that a module, or a list, tuple or dict in one, is made of."""
    if isinstance(thing, list | tuple):
        return range(len(thing)), thing
    named = vars(thing) if isinstance(thing, Module) else thing
    return named.keys(), named.values()


def _find(thing: Any, found: dict[int, Value]) -> None:
    """Adds the parameters in `thing` to those found."""
    for part in _parts(thing)[1]:
        if isinstance(part, Value):
            if part.is_leaf():
                found[id(part)] = part
        elif isinstance(part, _HOLDERS):
            _find(part, found)


def _name(thing: Any, prefix: str, found: dict[int, tuple[str, Value]]) -> None:
    """As `_find`, with a name for each: the first that leads to it."""
    for name, part in zip(*_parts(thing), strict=True):
        if isinstance(part, Value):
            if part.is_leaf():
                found.setdefault(id(part), (f"{prefix}{name}", part))
        elif isinstance(part, _HOLDERS):
            _name(part, f"{prefix}{name}.", found)
