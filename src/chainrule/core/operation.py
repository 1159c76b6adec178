"""Operations: one record for each, from which everything else is derived.

The table itself is in `ops/`. A record holds an operation's value on plain floats, its local derivatives, its symbol
and sample points for its tests. Calling a record applies the operation: floats give a float; if an operand records how
it was made (a `Value`, or a symbol of the compiler), the call is handed to that operand's type instead.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from types import MethodType
from typing import Any

from chainrule.core import methods
from chainrule.core.arrays import by_number, is_single, takes_over
from chainrule.core.packing import Row, constant_in_all, names_any
from chainrule.errors import ArgumentError, OperandError, shown, suggest

TABLE: dict[str, Operation] = {}
"""Every operation by name, in the order of definition, those of the user included."""

BY_CODE: list[Any] = [None]
"""Every operation that was ever defined; its index is its code, which a node of a graph holds. Code 0 is for leaves."""

MOST_CODES = 2**16 - 1

HOW_TO_ADD = """An operation of your own takes its value and its local derivative:

    @chainrule.operation(local=lambda x, y: 3 * x * x)
    def cube(x):
        return x * x * x"""
"""The example that errors show to someone who tries to make an operation in another way."""

_OTHER_NAMES = {"alpha": "slope", "negative_slope": "slope", "min": "low", "max": "high"}
"""Names of operands in other libraries, which a call may use as well."""


class Operation:
    """One operation of the table; made by the decorator `operation`, and called like a function.

    >>> from chainrule.ops import tanh
    >>> tanh(0.0), tanh.symbol, tanh.operand_names
    (0.0, 'tanh', ('x',))
    >>> tanh.local(0, (0.0,), 0.0)  # the local derivative in operand 0, at x = 0 and y = 0
    1.0
    """

    def __init__(
        self, value: Callable[..., float], local: Any, symbol: str, samples: Sequence, pack: Any, limit: Any = None
    ) -> None:
        self.name = self.__name__ = value.__name__
        self.__doc__, self.__module__ = value.__doc__, value.__module__
        self.value = value
        self.symbol = symbol
        self.samples = [tuple(sample) for sample in samples]
        self.operand_names, self._defaults = _signature(value)
        self._pack = pack
        self._call = _without_annotations(inspect.signature(pack or value))
        any_number = self.operand_names is None and pack is None
        named = self._call.parameters.values()
        self._last = tuple([p.default for p in named if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty])
        self._most = -1 if any_number else len([p for p in named if p.kind is p.POSITIONAL_OR_KEYWORD])
        self._least = self._most - len(self._last)
        if self.operand_names is not None:
            local = tuple(local) if isinstance(local, Sequence) else (local,)
            if len(local) != len(self.operand_names):
                message = f"{self.name} has {len(self.operand_names)} operands but {len(local)} local derivatives"
                raise ArgumentError(f"{message}: give one for each of {', '.join(self.operand_names)}")
            if limit is not None:
                raise ArgumentError(f"{self.name}: limit= is for operations of any number of operands (*xs)")
        else:
            local = local or constant_in_all
            limit = limit or local
        self._locals, self._limit = local, limit
        if len(BY_CODE) > MOST_CODES:
            raise ArgumentError(f"{self.name}: more than {MOST_CODES} operations were defined; define each only once")
        BY_CODE.append(self)
        self.code = BY_CODE.index(self)  # looked up, since other threads may define operations meanwhile

    @property
    def built_in(self) -> bool:
        """Whether the operation is chainrule's own; False for one that the user defined."""
        return is_built_in(self.value)

    @property
    def takes_lists(self) -> bool:
        """Whether a call takes lists in place of operands, as a call of `sum` does."""
        return self._pack is not None

    @property
    def required(self) -> tuple[str, ...]:
        """The operands that have no default; () for an operation of any number of operands."""
        return tuple(name for name in self.operand_names or () if name not in self._defaults)

    def local(self, index: int, operands: Sequence[Any], y: Any, finite: bool = False) -> Any:
        """Returns the local derivative ∂y/∂operands[index], or None if the operation is constant in that operand.

        It runs on whatever the operands are: floats give a float, Values give a Value (hence higher derivatives).
        `finite` says that y is known to be finite, so that the formula for an infinite y is not needed. Who asks for
        several local derivatives gives the operands as a `Row`.
        """
        if self.operand_names is None:
            if finite or self._limit is self._locals:
                return self._locals(index, operands, y)
            if type(y) is float:
                return (self._limit if y in (inf, -inf) else self._locals)(index, operands, y)
            infinite = TABLE["eq"](TABLE["abs"](y), inf)
            return TABLE["select"](infinite, self._limit(index, operands, y), self._locals(index, operands, y))
        local = self._locals[index]
        return None if local is None else local(*operands, y)

    def flows(self, index: int) -> bool:
        """Returns whether a derivative flows into operands[index]: not where the operation is constant in it."""
        return self._locals is not constant_in_all if self.operand_names is None else self._locals[index] is not None

    def slope(self, index: int, operands: Sequence[float], y: float) -> float:
        """Returns the local derivative on plain floats as a float; 0.0 if the operation is constant in that operand."""
        local = self.local(index, operands, y)
        if type(local) is float:
            return local
        return 0.0 if local is None else number(local, f"the local derivative of {self.name}")

    def row(self, numbers: list, y: float) -> list:
        """Returns the numbers of all operands as local derivatives best get them: as a `Row` if that may save work."""
        return Row(numbers) if names_any(self._limit if y in (inf, -inf) else self._locals) else numbers

    def __get__(self, instance: Any, owner: type) -> Any:
        """Makes the operation a method of the classes that record: `v.tanh()` is `tanh(v)`."""
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if named or (len(arguments) != self._most and self._most >= 0):
            if named or not self._least <= len(arguments) < self._most:
                arguments, named = self._bind(arguments, named)
            else:
                arguments += self._last[len(arguments) - self._least :]
        if self._pack is not None:
            if len(arguments) == 1 and type(arguments[0]) is Row:
                return arguments[0].result_of(self)
            arguments = tuple(self._pack(*arguments, **named) if named else self._pack(*arguments))
        return self.on(arguments)

    def on(self, operands: Sequence[Any]) -> Any:
        """Returns the result for a flat sequence of operands: for `sum`, the numbers themselves, not a list of them."""
        for operand in operands:
            if type(operand) is not float:
                return self._dispatch(operands)
        return self.value(*operands)

    def _dispatch(self, operands: Sequence[Any]) -> Any:
        for operand in operands:
            record = getattr(type(operand), "_record", None)
            if record is not None:
                found = record(self, operands)
                return found if found is not NotImplemented else by_number(self, operands)
        arrays = any(map(takes_over, operands))
        return by_number(self, operands) if arrays else self.value(*[number(x, self.name) for x in operands])

    def _bind(self, arguments: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments of a call in order, with those given by name, and the defaults of those left out."""
        known = self._call.parameters
        named = {name if name in known else _OTHER_NAMES.get(name, name): x for name, x in named.items()}
        try:
            bound = self._call.bind(*arguments, **named)
        except TypeError:
            raise OperandError(f"{self.name} was called with {_counted(arguments, named)}; it is {self}") from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def __str__(self) -> str:
        return f"{self.name}{self._call}"

    def __repr__(self) -> str:
        return f"<operation {self.name} {self.symbol}>"

    def __reduce__(self) -> tuple:
        return find, (self.name,)


def operation(
    *,
    local: Any,
    symbol: str | None = None,
    samples: Iterable = (),
    pack: Callable[..., Iterable] | None = None,
    limit: Any = None,
) -> Callable[[Callable[..., float]], Operation]:
    """Decorator that makes an operation from its value on floats and its local derivatives, and adds it to the table.

    It then works wherever a built-in one does: on floats, on Values as function and as method, in derivatives of any
    order, in pictures, explanations and checks. Value and local derivatives must be pure functions: they may be called
    again at any time, so pass what is drawn at random or counted outside as an operand.

    Args:
        local: one function for each operand; it takes the operands and the result y, and uses operators and functions
            of the table (so that it can be differentiated again). None for an operand in which the operation is
            constant. An operation of any number of operands (`*xs`) has one function of (index, operands, y); what it
            says of all operands in an operation that takes a list, such as `argmax(xs)`, is calculated once.
        symbol: what a picture shows; the function's name if left out.
        samples: operands at which the tests compare the local derivatives with numerical ones.
        pack: for calls that take lists: turns the call's arguments into the operands.
        limit: for operations of any number of operands: replaces `local` where y is infinite and the formula of
            `local` would be ∞ - ∞.

    Raises:
        ArgumentError: the number of local derivatives is wrong, or the name is that of a built-in operation.

    >>> import chainrule
    >>> @chainrule.operation(local=lambda x, y: 3 * x * x, symbol="x³", samples=[(-1.5,), (2.0,)])
    ... def cube(x):
    ...     return x * x * x
    >>> v = chainrule.Value(2.0)
    >>> v.cube().backward()
    >>> v.grad, chainrule.grad(chainrule.grad(cube))(2.0)
    (12.0, 12.0)
    >>> forget("cube")
    """

    def add_to_table(value: Callable[..., float]) -> Operation:
        name = value.__name__
        if name in TABLE and TABLE[name].built_in:
            raise ArgumentError(f"{name} is a built-in operation already: give yours another name")
        record = Operation(value, local, symbol or name, list(samples), pack, limit)
        if name in TABLE:
            forget(name)  # a cell of a notebook that is run again
        for host in methods.HOSTS:
            if hasattr(host, name):
                raise ArgumentError(f"a {host.__name__} has an attribute {name!r} already: give yours another name")
        TABLE[name] = record
        for host in methods.HOSTS:
            methods.add(host, record)
        return record

    return add_to_table


def add_methods(host: type, set: Callable[[Any, str, Any], None], delete: Callable[[Any, str], None]) -> None:
    """Makes the operations of the table, including those defined later, methods of a class.

    Args:
        host: the class.
        set: sets an attribute of it: `setattr`, or a function that can do so with a class that Cython made.
        delete: deletes an attribute of it: `delattr`, or such a function.
    """
    methods.HOSTS[host] = set, delete
    for record in TABLE.values():
        methods.add(host, record)


def forget(name: str) -> None:
    """Removes an operation that the user defined from the table.

    Raises:
        ArgumentError: there is no operation of that name, or it is a built-in one.
    """
    if find(name).built_in:
        raise ArgumentError(f"{name} is a built-in operation: it stays")
    methods.remove(TABLE.pop(name))


def find(name: str) -> Operation:
    """Returns the operation of a name.

    Raises:
        ArgumentError: there is none; an operation of the user must be defined before what uses it is loaded.
    """
    if name not in TABLE:
        raise ArgumentError(f"there is no operation {name!r} here.{suggest(name, TABLE)}")
    return TABLE[name]


def is_built_in(function: Callable) -> bool:
    """Returns whether a function is defined in a file of `ops/`: the value of an operation, or a function it calls."""
    return (function.__module__ or "").startswith("chainrule.ops.")


def ieee(function: Callable[[float], float], x: float) -> float:
    """Calls a function of `math`, and returns IEEE's result where Python raises."""
    try:
        return function(x)
    except OverflowError:
        return inf
    except ValueError:
        return nan


_REALS = (float, int, numbers.Real)  # in this order, since the last takes long


def number(x: Any, where: str) -> float:
    """Converts an int, float, bool, fraction or NumPy scalar to a float; the error names `where`.

    Raises:
        OperandError: `x` is anything else, or too large for a float.

    >>> number(True, "add"), number(3, "add")
    (1.0, 3.0)
    >>> number("3", "add")
    Traceback (most recent call last):
        ...
    chainrule.errors.OperandError: add needs real numbers but got the str '3': convert it first, float('3')
    """
    if type(x) is float:
        return x
    real = isinstance(x, _REALS)
    if not real and hasattr(x, "item") and (is_single(x) or not (hasattr(x, "__len__") or hasattr(type(x), "_record"))):
        x = x.item()  # NumPy's bool is not registered as a number, but gives one
        real = isinstance(x, numbers.Real)
    try:
        if real:
            return float(x)
    except OverflowError:
        raise OperandError(f"{where} got an integer that is too large for a float") from None
    except TypeError:
        pass  # a NumPy time span is registered as an integer
    text = shown(x, 40)
    raise OperandError(f"{where} needs real numbers but got the {type(x).__name__} {text}: {_mended(x, text, where)}")


def is_number(x: Any) -> bool:
    """Returns whether an operation accepts `x`, for `==`: a Value and, say, a str are simply not equal."""
    if hasattr(type(x), "_record"):
        return True
    try:
        number(x, "a comparison")
    except OperandError:
        return False
    return True


def check_label(label: Any) -> None:
    """Refuses a label that is not a str."""
    if not isinstance(label, str):
        raise OperandError(f"a label is a str, not the {type(label).__name__} {shown(label)}: str({shown(label)})")


def is_numeral(x: Any) -> bool:
    """Returns whether `float` makes a number of `x`, such as of the text "1e-3"."""
    try:
        float(x)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


_MENDED = {  # what to write in place of an object, by an attribute of its class
    "_record": "use .data for its number or .detach() for a new leaf",
    "__dataclass_fields__": "its __init__ takes something other than its fields: give its numbers in a dict",
    **dict.fromkeys(("__len__", "__iter__"), "go through its numbers, [f(x) for x in xs]"),
}


def _mended(x: Any, text: str, where: str) -> str:
    if isinstance(x, str):
        return f"convert it first, float({text})" if is_numeral(x) else "that is no float either, so give it a number"
    if x is None:
        no_gradient = "set a gradient to 0, p.grad = 0.0, or call zero_grad()"
        return no_gradient if where == "Value.grad" else "does a function lack its return?"
    if isinstance(x, complex):
        return "take z.real, z.imag or abs(z)"
    return next((_MENDED[name] for name in _MENDED if hasattr(type(x), name)), "convert it first, float(x)")


def _signature(value: Callable) -> tuple[tuple[str, ...] | None, dict[str, Any]]:
    """Returns the operands' names (None for any number of operands) and their defaults."""
    parameters = inspect.signature(value).parameters.values()
    for p in parameters:
        if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD):
            raise ArgumentError(f"{value.__name__}: operands go by position, so {p.name} must stand before any *")
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None, {}
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return tuple(p.name for p in parameters), defaults


def _without_annotations(signature: inspect.Signature) -> inspect.Signature:
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return signature.replace(parameters=bare, return_annotation=signature.empty)


def _counted(arguments: tuple, named: dict[str, Any]) -> str:
    words = [f"{len(arguments)} operand{'' if len(arguments) == 1 else 's'}", *[f"{name}=" for name in named]]
    return " and ".join(words)
