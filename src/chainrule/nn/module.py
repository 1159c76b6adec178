"""`Module`, the base of models: it collects the parameters in its attributes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.core.arrays import lists_of
from chainrule.core.naming import known, note
from chainrule.core.operation import number
from chainrule.engine import Value
from chainrule.errors import OperandError, SavedFileError, SizeError, shown, suggest
from chainrule.nn.holders import KINDS, LEAF, MODULE, OWN_MODULE, PLAIN, ROW, Walk, kind_of, refuse, refuse_same
from chainrule.nn.summary import Summary, summarise


class Module:
    """The base of models and their parts.

    A subclass keeps its parameters (Values that are leaves) and its parts (other Modules) in attributes; these may also
    be in lists, tuples, dicts, NumPy arrays of objects and dataclasses. Its method `forward` says what it calculates
    for one sample. Parameters are not collected from a set, which has no order, from the variables that a function
    closes over, nor from attributes of a class or of an object that is no Module. A parameter that is only in such a
    place is an error, which names the place. An object in `Frozen(...)` is not searched.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.shift = Value(2.0), Value(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x[0] + self.shift
    >>> line = Line()
    >>> line([3.0]).data, [y.data for y in line([[3.0], [4.0]])], line.state_dict()
    (7.0, [7.0, 9.0], {'slope': 2.0, 'shift': 1.0})
    """

    _one_leaf = True  # a Module that is a dataclass is no tree of numbers

    def __call__(self, x: Any) -> Any:
        """Calls `forward` for one sample (a list of numbers), or for each sample of a batch (a list of samples, or the
        rows of a DataFrame).

        Returns:
            The result of `forward`, or the list of its results, one for each sample.
        """
        if id(self) not in known:
            note(self)
        if type(x) is not list:
            x = lists_of(x)
        return [self.forward(row) for row in x] if _is_batch(x) else self.forward(x)

    def forward(self, x: Any) -> Any:
        """Calculates the output for one sample; every subclass defines it."""
        kind = type(self)
        if kind.__call__ is not Module.__call__:
            mended = "its __call__: give that the name forward(self, x), and model(x) calls it, also for a batch"
            raise NotImplementedError(f"{kind.__name__} has no method forward but {mended}")
        hint = suggest("forward", [name for name in dir(kind) if name != "forward"])
        raise NotImplementedError(
            f"{kind.__name__} needs a method that calculates its output for one sample:{hint}\n\n"
            f"    class {kind.__name__}(nn.Module):\n        def forward(self, x):\n            return ..."
        )

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Every parameter with its name, such as `layers.0.neurons.3.w.1`. A parameter that is in two places is listed
        once.

        Raises:
            ArgumentError: a parameter would be missed, or two have the same name.
        """
        names: list[str] = []
        parameters = _find(self, names)
        if len(set(names)) != len(names):
            refuse_same(self, names)
        return list(zip(names, parameters, strict=True))

    def parameters(self) -> list[Value]:
        """Every parameter, in the order of `named_parameters`.

        Raises:
            ArgumentError: a parameter would be missed.
        """
        return _find(self)

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to 0. Call it once in each step, before `backward()`."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The number of every parameter, by name."""
        return {name: value.data for name, value in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Sets every parameter from a `state_dict`. Either all of it fits, or nothing is changed.

        Raises:
            SizeError: a name is missing or unknown.
            OperandError: it is no dict, or an entry is not a number.
        """
        if not isinstance(state, Mapping):
            raise OperandError(f"a state is a dict of numbers by name, from state_dict(), not {shown(state)}")
        named = dict(self.named_parameters())
        missing, unknown = [n for n in named if n not in state], [n for n in state if n not in named]
        if missing:
            raise SizeError(f"the state lacks {missing[0]!r} (and {len(missing) - 1} more) of {type(self).__name__}")
        if unknown:
            hint = suggest(unknown[0], named) if isinstance(unknown[0], str) and len(unknown[0]) < 1000 else ""
            raise SizeError(
                f"the state has {shown(unknown[0])} (and {len(unknown) - 1} more), which is unknown here.{hint}"
            )
        numbers = {name: number(state[name], name) for name in named}
        for name, value in named.items():
            value.data = numbers[name]

    def summary(self) -> Summary:
        """A table of the layers: what goes in and comes out of each, and how many parameters it has.

        Raises:
            ArgumentError: a parameter would be missed.
        """
        return summarise(self, Module)

    def _described(self) -> tuple[str, str]:
        """What `summary` says of a layer: its shape, such as `3 → 4`, and its activation. Another Module is opened."""
        return "", ""

    def _contents(self) -> tuple[dict[int, str], Mapping[int, Any]]:
        """The names of the parameters, and all parts, by identity: for the names in pictures (`core/naming.py`)."""
        names: list[str] = []
        walk = Walk(Module)
        return dict(zip(_walk(self, walk, names), names, strict=True)), walk.seen

    def config(self) -> dict[str, Any]:
        """The description from which `nn.from_config` builds the same model again, without its numbers.

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


def _find(root: Module, names: list[str] | None = None) -> list[Value]:
    """The parameters of a Module, each once, in the order in which the walk first meets them.

    Args:
        names: a list, which is filled with the names of the parameters.

    Raises:
        ArgumentError: a parameter is held where the walk does not look, such as in a set.
    """
    walk = Walk(Module)
    if id(root) not in known:
        note(root)
    parameters = _walk(root, walk, names)
    lost = walk.missed(parameters) if walk.unseen else None
    if lost is not None:
        if names is None:
            _find(root, [])  # notes the way to it, for the message
        refuse(root, *lost)
    return list(parameters.values())


def _walk(root: Module, walk: Walk, names: list[str] | None) -> dict[int, Value]:
    """The parameters by identity. The walk does not recurse, so parts may be nested deeply; and it enters no object
    twice, so parts may hold one another."""
    parameters: dict[int, Value] = {}
    seen, keys, key = walk.seen, walk.keys, None
    levels: list[Any] = [iter([root])]
    while levels:
        prefix, left = "", keys[-1]
        for part in levels[-1]:
            if names is not None:
                key = next(left)
            kind = type(part)
            category = LEAF if kind is Value else KINDS.get(kind) or kind_of(kind, Module)
            if category == LEAF:
                if part.is_leaf():
                    if names is not None and id(part) not in parameters:
                        prefix = prefix or walk.prefix()
                        names.append(f"{prefix}{key}")
                    parameters[id(part)] = part
                continue
            if category != PLAIN and id(part) not in seen:
                seen[id(part)] = part
                if category == MODULE or (category == OWN_MODULE and id(kind) in seen):
                    parts = dict(vars(part))  # a copy, since other threads may change it
                else:
                    parts = part if category == ROW else walk.opened(part, key)
                levels.append(iter(parts.values() if type(parts) is dict else parts))
                if names is not None:
                    walk.down(key, parts)
                break
        else:
            levels.pop()
            if names is not None:
                walk.up()
    return parameters
