"""`compile`: ordinary scalar functions, and their derivatives, as native code."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

from chainrule import transforms
from chainrule.compiler.calling.arguments import EXACT, EXACT_32, Reading, read
from chainrule.compiler.calling.layouts import Layout, layout_of
from chainrule.compiler.calling.options import Options, check_function, options_of
from chainrule.compiler.calling.paths import Path, Paths, by_position, name_of
from chainrule.compiler.calling.results import Found, like_arguments, twice_like_arguments
from chainrule.compiler.calling.running import Call, Runner
from chainrule.compiler.calling.structures import Structures
from chainrule.compiler.pipeline import Wanted
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import WITH_VALUES
from chainrule.compiler.reports.report import GraphView, Subject, count, report, title
from chainrule.core.trees import leaves, tree_map
from chainrule.errors import ArgumentError, OperandError, TraceError

Argnums = int | Sequence[int]


class CompiledFunction:
    """A function as native code; made by `compile`, and called like the function.

    Called with Values, it is the function itself, and its result part of their graph.

    Attributes:
        fallbacks: what it did in a slower way.
    """

    def __init__(self, function: Callable, options: Options) -> None:
        self.function, self.options = function, options
        self._name = name_of(function)
        self.fallbacks = Fallbacks(self._name)
        self._paths = Paths(function, options.max_traces, options.target, self.fallbacks, options.strict)
        self._structures = Structures(self._paths, options.max_structures, self.fallbacks)
        self._runner = Runner(self._name, options, self._paths, self.fallbacks)
        functools.update_wrapper(self, function, updated=())  # what it holds is its own, and so are these

    @property
    def traces(self) -> int:
        """How many different ways the function was seen to go."""
        return self._paths.count

    # ---- what it gives ----
    def __call__(self, *args: Any, **named: Any) -> Any:
        """The value, in the structure that the function returns.

        With `in_axes` there are arrays in place of its numbers, one number a sample; with `reduce`, sums or means.

        Raises:
            OperandError: an argument cannot be used, or the function does what cannot be compiled.
            TraceError: the function goes more ways than `max_traces`.
        """
        call = self._taken_apart(args, named)
        return self.function(*args, **named) if call is None else self._runner.run(call, 0, ()).value()

    def value_and_grad(self, *args: Any, argnums: Argnums = 0, **named: Any) -> tuple[Any, Any]:
        """The value and the derivative by the arguments `argnums`, as `chainrule.value_and_grad` gives them.

        That by an array is an array, that by a Module a dict with the names of its parameters.
        """
        call = self._taken_apart(args, named)
        if call is None:
            return transforms.value_and_grad(self.function, argnums)(*args, **named)
        argnums, wrt = self._by(call, argnums)
        found = self._runner.run(call, 1, wrt)
        self._check_number(found, "grad")
        return found.value(), like_arguments(call.layout, argnums, found.blocks(1))

    def grad(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """The derivative, as `chainrule.grad` gives it."""
        return self.value_and_grad(*args, argnums=argnums, **named)[1]

    def jacobian(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """Every derivative of every result, as `chainrule.jacobian` gives them."""
        call = self._taken_apart(args, named)
        if call is None:
            return transforms.jacobian(self.function, argnums)(*args, **named)
        argnums, wrt = self._by(call, argnums)
        found = self._runner.run(call, 1, wrt)
        count = len(leaves(found.result))

        def of(result: int) -> Any:
            return like_arguments(call.layout, argnums, found.blocks(count + result * len(wrt)))

        return tree_map(of, found.result)

    def hessian(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """All second derivatives, as `chainrule.hessian` gives them."""
        call = self._taken_apart(args, named)
        if call is None:
            return transforms.hessian(self.function, argnums)(*args, **named)
        argnums, wrt = self._by(call, argnums)
        found = self._runner.run(call, 2, wrt)
        self._check_number(found, "hessian")
        return twice_like_arguments(call.layout, argnums, found, 1 + len(wrt), len(wrt))

    # ---- what is known of it ----
    def explain(self) -> str:
        """What became of the function for the last call: loops, vectors, bytes and operations, times, constants.

        Raises:
            TraceError: it was not called yet.
        """
        layout, path, wanted = self._last_call("something to explain")
        made, function = self._runner.made(path, wanted), by_position(self.function, layout.named)
        cached, arguments = bool(made.cached) and all(made.cached), path.layout.sample(path.own)
        told = self.fallbacks.describe()
        subject = Subject(
            path.traced.graph, len(path.live), made.kernel, made.stages, cached, function, arguments, told
        )
        return report(title(self._name, wanted, self.options.strict), count(self.traces, "trace"), subject)

    @property
    def graph(self) -> GraphView:
        """The graph of the last call: `print(f.graph)`, and after each pass `print(f.graph["differentiate"])`.

        Raises:
            TraceError: the function was not called yet.
        """
        _, path, wanted = self._last_call("a graph")
        return self._runner.made(path, wanted).view

    def _last_call(self, what: str) -> tuple[Layout, Path, Wanted]:
        if self._runner.last is None:
            raise TraceError(f"call {self._name} once, then there is {what}")
        return self._runner.last

    def __reduce__(self) -> tuple | str:
        name = getattr(self.function, "__qualname__", "")
        found = sys.modules.get(getattr(self.function, "__module__", None) or "")
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:  # a decorator put it in the place of its function, which has no name of its own any more
            return name
        return CompiledFunction, (self.function, self.options)

    def __repr__(self) -> str:
        return f"<compiled {self._name}, {self.traces} traces>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else BoundMethod(self, instance)

    # ---- reading arguments ----
    def _taken_apart(self, args: tuple, named: dict[str, Any]) -> Call | None:
        """The arguments; None if there are Values among them."""
        names: tuple[str, ...] = ()
        if named:
            args, named = self._bound(args, named)
            names = tuple(named)
            axes = self.options.axes(len(args), self._name) + (None,) * len(named)
            args = (*args, *named.values())
        else:
            axes = self.options.axes(len(args), self._name)
        reading = Reading(EXACT if self.options.bits == 64 else EXACT_32)
        key = (names, *[read(x, axis, reading) for x, axis in zip(args, axes, strict=True)])
        if reading.values:
            if self.options.in_axes is not None:
                raise OperandError(f"{self._name} was compiled with in_axes, and takes plain numbers, not Values")
            self.fallbacks.met(WITH_VALUES)
            return None
        structures = self._structures
        structures.calls = now = structures.calls + 1
        found = structures.known.get(key)
        if found is None:
            found = structures.add(key, layout_of(args, axes, names))
        found.used = now
        return Call(found.layout, found.paths, reading.numbers(), reading.columns(), args)

    def _bound(self, args: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Arguments that were given by name, at their positions; what can be given by name alone stays."""
        if self._signature is None:
            return args, named
        try:
            bound = self._signature.bind(*args, **named)
        except TypeError as error:
            raise ArgumentError(f"{self._name}: {error}") from None
        return bound.args, bound.kwargs

    @functools.cached_property
    def _signature(self) -> inspect.Signature | None:
        """None of a function that does not tell."""
        try:
            return inspect.signature(self.function)
        except ValueError:
            return None

    def _by(self, call: Call, argnums: Argnums) -> tuple[int | tuple[int, ...], tuple[int, ...]]:
        """`argnums` as positions from the left, and the inputs of the graph that they are."""
        count, found = len(call.layout.forms) - len(call.layout.named), []
        several = isinstance(argnums, Sequence) and not isinstance(argnums, str)
        positions: tuple[Any, ...] = tuple(argnums) if several else (argnums,)  # type: ignore[arg-type]
        for i in positions:
            if isinstance(i, bool) or not isinstance(i, int):
                raise ArgumentError(
                    f"argnums is the position of an argument, or a tuple of positions such as (0, 1), not {argnums!r}"
                )
            if not -count <= i < count:
                raise ArgumentError(f"argnums={i}, but {self._name} was called with {count} positional arguments")
            found.append(i % count)
        wrt = tuple([node for i in found for node in call.layout.inputs_of(i, self._name)])
        return (found[0] if isinstance(argnums, int) else tuple(found)), wrt

    def _check_number(self, found: Found, what: str) -> None:
        if isinstance(found.result, list | tuple | dict):
            raise OperandError(f"{what} needs a function that returns one number, but {self._name} returned a "
                               f"{type(found.result).__name__}: use jacobian")  # fmt: skip


class BoundMethod:
    """A compiled function as the method of an object: `argnums` counts from the argument behind `self`."""

    def __init__(self, compiled: CompiledFunction, instance: Any) -> None:
        self.__wrapped__, self.__self__ = compiled, instance

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.__wrapped__(self.__self__, *args, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks for, also of one that is not there yet
            raise AttributeError(name)
        found = getattr(self.__wrapped__, name)
        if name not in ("value_and_grad", "grad", "jacobian", "hessian"):
            return found

        def call(*args: Any, argnums: Argnums = 0, **named: Any) -> Any:
            return found(self.__self__, *args, argnums=_behind_self(argnums), **named)

        return call

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r}, of {self.__self__!r}>"


def _behind_self(argnums: Any) -> Any:
    if isinstance(argnums, list | tuple):
        return tuple([_behind_self(i) for i in argnums])
    return argnums + 1 if type(argnums) is int and argnums >= 0 else argnums


def compile(function: Callable | None = None, **options: Any) -> Any:
    """A function of scalars as native code, with its derivatives.

    Args:
        function: of numbers, Modules, or nested lists, tuples, dicts and NumPy arrays of numbers, that it calculates
            with as on Values; an array reaches it as nested lists. It may branch on numbers: each way it goes is traced
            once. An `int` has no derivative, and may choose from a list: `chainrule.take(xs, i)`. Values that it closes
            over are read at each call; all else that it closes over, plain numbers and attributes of a Module, is
            constant from the first call on (`explain()` lists numbers). Other arguments, such as strings, and what
            their attributes hold, are part of the structure: where they differ, there is a new trace.
        in_axes: for each positional argument the axis along which it differs from sample to sample, or None, or a
            nesting of those (as `jax.vmap` names it); one for all may stand alone. The function is then that of one
            sample.
        reduce: of a batch: None for the results of each sample, "sum" or "mean".
        dtype: "float64" or "float32": with which numbers native code calculates.
        threads: among how many threads large batches are shared out.
        strict: whether every bit must be that of the eager engine.
        max_traces: how many different ways it may go, for arguments of the same structure.
        max_structures: for how many structures of arguments what was compiled is kept; beyond, that is let go which was
            not used for longest.
        memory_limit: how many bytes what long loops keep for their derivatives may take, for a block of samples; where
            it would be more, it is calculated once more from checkpoints.

    Returns:
        A `CompiledFunction`. It can be used as a decorator, with or without options.

    Raises:
        ArgumentError: an option makes no sense.

    >>> import chainrule
    >>> f = compile(lambda x, y: chainrule.sin(x) * y)
    >>> f(0.0, 3.0), f.value_and_grad(0.0, 3.0, argnums=(0, 1))
    (0.0, (0.0, (3.0, 0.0)))
    >>> g = compile(lambda w, x: (w * x) ** 2, in_axes=(None, 0), reduce="mean")
    >>> g.value_and_grad(3.0, [1.0, 2.0])
    (22.5, 15.0)
    """
    chosen = options_of(Options, options, "compile")

    def made(f: Callable) -> CompiledFunction:
        if isinstance(f, CompiledFunction):  # with these options instead
            f = f.function
        return CompiledFunction(check_function(f, "compile", "f and not f(x)"), chosen)

    return made if function is None else made(function)
