"""`compile`: native code for ordinary scalar functions and their derivatives."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule import transforms
from chainrule.compiler.calling.arguments import EXACT, EXACT_32, Reading, read, with_floats
from chainrule.compiler.calling.layouts import Layout, layout_of
from chainrule.compiler.calling.options import Options, check_function, options_of
from chainrule.compiler.calling.paths import Path, Paths, by_position, name_of
from chainrule.compiler.calling.planning import JACOBIAN, VALUE, VALUE_AND_GRAD, Planner
from chainrule.compiler.calling.plans import MISSED, Plans
from chainrule.compiler.calling.results import Found, like_arguments, of_each_result, twice_like_arguments
from chainrule.compiler.calling.running import Call, Runner
from chainrule.compiler.calling.structures import Structures
from chainrule.compiler.pipeline import Wanted
from chainrule.compiler.reports.fallbacks import Fallbacks
from chainrule.compiler.reports.reasons import WITH_VALUES
from chainrule.compiler.reports.report import GraphView, Subject, count, report, title
from chainrule.core.texts import Report
from chainrule.core.trees import Form, is_tree, leaves
from chainrule.errors import ArgumentError, OperandError, TraceError

Argnums = int | Sequence[int]


class CompiledFunction:
    """A function as native code, made by `compile` and called like the function.

    Called with Values, it runs the original function, and its result belongs to their graph.

    Attributes:
        fallbacks: what it did in a slower way.
    """

    def __init__(self, function: Callable, options: Options) -> None:
        self.function, self.options = function, options
        self._name = name_of(function)
        self.fallbacks = Fallbacks(self._name)
        self._paths = Paths(function, options.max_traces, options.target, self.fallbacks, options.strict)
        self._runner = Runner(self._name, options, self._paths, self.fallbacks)
        self._plans = Plans(self._runner, self._paths, options.in_axes is not None)
        self._planner = Planner(options, self._paths, self._plans)
        self._structures = Structures(self._paths, options.max_structures, self.fallbacks, self._plans)
        self._slopes: dict[Any, CompiledFunction] = {}
        functools.update_wrapper(self, function, updated=())  # its attributes are its own

    @property
    def traces(self) -> int:
        """How many control-flow paths of the function have been traced."""
        return self._paths.count

    # ---- what it gives ----
    def __call__(self, *args: Any, **named: Any) -> Any:
        """Calculates the value, in the structure that the function returns.

        With `in_axes` there are arrays in place of its numbers, with one number for each sample; with `reduce`, sums or
        means.

        Raises:
            OperandError: an argument is invalid, or the function cannot be compiled.
            TraceError: the function takes more control-flow paths than `max_traces`.
        """
        if not named and (planned := self._plans.run(VALUE, 0, args)) is not MISSED:
            return planned
        call = self._read(args, named)
        if call is None:
            return self.function(*args, **named)
        results = self._runner.run(call, 0, ()).value()
        self._planner.learn(VALUE, 0, call, (), ())
        return results

    def value_and_grad(self, *args: Any, argnums: Argnums = 0, **named: Any) -> tuple[Any, Any]:
        """Calculates the value and the derivative with respect to the arguments `argnums`, like
        `chainrule.value_and_grad`.

        The derivative with respect to an array is an array, that with respect to a Module a dict with the names of its
        parameters.
        """
        if not named and (planned := self._plans.run(VALUE_AND_GRAD, argnums, args)) is not MISSED:
            return planned
        call, chosen, wrt = self._to_differentiate(args, named, argnums)
        if call is None:
            return transforms.value_and_grad(self.function, argnums)(*args, **named)
        results = self._runner.run(call, 1, wrt)
        self._check_number(results, "grad")
        self._planner.learn(VALUE_AND_GRAD, argnums, call, chosen, wrt)
        return results.value(), like_arguments(call.layout, chosen, results.blocks(1))

    def grad(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """Calculates the derivative, like `chainrule.grad`."""
        return self.value_and_grad(*args, argnums=argnums, **named)[1]

    def jacobian(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """Calculates every derivative of every result, like `chainrule.jacobian`."""
        if not named and (planned := self._plans.run(JACOBIAN, argnums, args)) is not MISSED:
            return planned
        call, chosen, wrt = self._to_differentiate(args, named, argnums)
        if call is None:
            return transforms.jacobian(self.function, argnums)(*args, **named)
        results = self._runner.run(call, 1, wrt)
        self._planner.learn(JACOBIAN, argnums, call, chosen, wrt)
        return of_each_result(call.layout, chosen, results, len(wrt))

    def value_vector(self, *args: Any) -> np.ndarray:
        """Calculates all numbers of the value: float64[results], or, of a batch, float64[results · samples].

        Raises:
            OperandError: there are Values among the arguments, whose result would have a graph.
        """
        return self._matrix(args, 0)[:, 0]

    def jacobian_matrix(self, *args: Any) -> np.ndarray:
        """Calculates every derivative of these numbers by those of the first argument: float64[results, numbers].

        Raises:
            OperandError: there are Values among the arguments, whose derivatives would have a graph.
        """
        return self._matrix(args, 1)

    def _matrix(self, args: tuple, order: int) -> np.ndarray:
        """For each number of the value a row: the number itself, or its derivatives."""
        call, _, wrt = self._to_differentiate(args, {}, 0) if order else (self._read(args, {}), 0, ())
        if call is None:
            raise OperandError(f"an array is made of plain numbers, not of Values: call {self._name} or its .jacobian")
        results = self._runner.run(call, order, wrt)
        count, width = len(leaves(results.result)), len(wrt) if order else 1
        block, sampled = results.block(count if order else 0, count * width)
        if sampled:
            block = block.reshape(count, width, -1).transpose(0, 2, 1)
        return block.reshape(-1, width)

    def hessian(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """Calculates all second derivatives, like `chainrule.hessian`."""
        call, chosen, wrt = self._to_differentiate(args, named, argnums)
        if call is None:
            return transforms.hessian(self.function, argnums)(*args, **named)
        results = self._runner.run(call, 2, wrt)
        self._check_number(results, "hessian")
        return twice_like_arguments(call.layout, chosen, results, 1 + len(wrt), len(wrt))

    def hvp(self, *args: Any, argnums: Argnums = 0, **named: Any) -> Any:
        """Calculates the product of the Hessian and a direction, like `chainrule.hvp`: the direction comes after the
        arguments."""
        count = max(len(args) - 1, 0)
        several = isinstance(argnums, Sequence) and not isinstance(argnums, str)
        chosen = tuple([_from_left(i, count) for i in argnums]) if several else _from_left(argnums, count)  # type: ignore[union-attr]
        return self._slope(chosen, count).grad(*args, argnums=chosen, **named)

    def _slope(self, argnums: Any, count: int) -> CompiledFunction:
        """The function that takes `count` arguments and a direction, and calculates its own derivative in it."""
        if (argnums, count) not in self._slopes:
            slope = functools.partial(_slope, self.function, argnums)
            slope.__name__ = f"hvp({self._name})"  # type: ignore[attr-defined]
            options = self.options
            if options.in_axes is not None:
                axes = options.axes(count, self._name)
                own = tuple([axes[i] for i in argnums]) if isinstance(argnums, tuple) else axes[argnums]
                options = replace(options, in_axes=(*axes, own))
            self._slopes[argnums, count] = CompiledFunction(slope, options)
        return self._slopes[argnums, count]

    # ---- what is known of it ----
    def explain(self) -> Report:
        """Reports on the last call: loops, vectors, bytes, operations, constants, and the pipeline with its times.

        Raises:
            TraceError: the function has not been called.
        """
        layout, path, wanted = self._last_call("something to explain")
        made, function = self._runner.made(path, wanted), by_position(self.function, layout.named)
        cached, arguments = bool(made.cached) and all(made.cached), path.layout.sample(path.own)
        fallbacks = self.fallbacks.describe()
        subject = Subject(
            path.traced.graph, len(path.live), made.kernel, made.stages, cached, function, arguments, fallbacks
        )
        return Report(report(title(self._name, wanted, self.options.strict), count(self.traces, "trace"), subject))

    @property
    def graph(self) -> GraphView:
        """The graph of the last call: `print(f.graph)`, and after each pass `print(f.graph["differentiate"])`.

        Raises:
            TraceError: the function has not been called.
        """
        _, path, wanted = self._last_call("a graph")
        return self._runner.made(path, wanted).view

    def _last_call(self, what: str) -> tuple[Layout, Path, Wanted]:
        if self._runner.last is None:
            raise TraceError(f"call {self._name} once, then there is {what}")
        return self._runner.last

    def __reduce__(self) -> tuple | str:
        name = getattr(self.function, "__qualname__", "")
        value = sys.modules.get(getattr(self.function, "__module__", None) or "")
        for part in name.split("."):
            value = getattr(value, part, None)
        if value is self:  # as a decorator: the function's name means the compiled one
            return name
        return CompiledFunction, (self.function, self.options)

    def __repr__(self) -> str:
        return f"<compiled {self._name}, {self.traces} traces>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else BoundMethod(self, instance)

    # ---- reading arguments ----
    def _read(self, args: tuple, named: dict[str, Any]) -> Call | None:
        """Reads the arguments; None if there are Values among them."""
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
        structure = self._structures.find(key, lambda: layout_of(args, axes, names))
        return Call(structure.layout, structure.paths, reading.numbers(), reading.columns(), args, structure)

    def _bound(self, args: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Puts arguments that were given by name at their positions; keyword-only ones stay."""
        if self._signature is None:
            return args, named
        try:
            bound = self._signature.bind(*args, **named)
        except TypeError as error:
            raise ArgumentError(f"{self._name}: {error}") from None
        return bound.args, bound.kwargs

    @functools.cached_property
    def _signature(self) -> inspect.Signature | None:
        """The signature; None for a function without one."""
        try:
            return inspect.signature(self.function)
        except ValueError:
            return None

    def _to_differentiate(self, args: tuple, named: dict[str, Any], argnums: Argnums) -> Any:
        """Reads the arguments, with floats for integers in those that are differentiated by: the call, or None if there
        are Values among them; `argnums` as positions from the left; and the inputs of the graph that these are."""
        call = self._read(args, named)
        if call is None:
            return None, argnums, ()
        chosen = self._positions(call, argnums)
        if not call.layout.exact.isdisjoint(chosen):
            at = len(call.given) - len(call.layout.named)
            given = [with_floats(x) if i in chosen else x for i, x in enumerate(call.given)]
            call = self._read(tuple(given[:at]), dict(zip(call.layout.named, given[at:], strict=True)))
            assert call is not None
        wrt = tuple([node for i in chosen for node in call.layout.inputs_of(i, self._name)])
        return call, chosen[0] if isinstance(argnums, int) else chosen, wrt

    def _positions(self, call: Call, argnums: Argnums) -> tuple[int, ...]:
        """`argnums` as positions from the left."""
        count, chosen = len(call.layout.forms) - len(call.layout.named), []
        several = isinstance(argnums, Sequence) and not isinstance(argnums, str)
        positions: tuple[Any, ...] = tuple(argnums) if several else (argnums,)  # type: ignore[arg-type]
        for i in positions:
            if isinstance(i, bool) or not isinstance(i, int):
                raise ArgumentError(
                    f"argnums is the position of an argument, or a tuple of positions such as (0, 1), not {argnums!r}"
                )
            if not -count <= i < count:
                raise ArgumentError(f"argnums={i}, but {self._name} was called with {count} positional arguments")
            chosen.append(i % count)
        return tuple(chosen)

    def _check_number(self, results: Found, what: str) -> None:
        if is_tree(results.result):
            kind = "array" if isinstance(results.result, Form) else type(results.result).__name__
            raise OperandError(f"{what} needs a function that returns one number, but {self._name} returned a {kind}: "
                               "use jacobian")  # fmt: skip


class BoundMethod:
    """A compiled function as the method of an object: `argnums` counts from the argument after `self`."""

    def __init__(self, compiled: CompiledFunction, instance: Any) -> None:
        self.__wrapped__, self.__self__ = compiled, instance

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.__wrapped__(self.__self__, *args, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python looks some up before __init__ has run
            raise AttributeError(name)
        attribute = getattr(self.__wrapped__, name)
        if name not in ("value_and_grad", "grad", "jacobian", "hessian", "hvp"):
            return attribute

        def call(*args: Any, argnums: Argnums = 0, **named: Any) -> Any:
            return attribute(self.__self__, *args, argnums=_behind_self(argnums), **named)

        return call

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r}, of {self.__self__!r}>"


def _slope(function: Callable, argnums: Any, *args: Any, **named: Any) -> Any:
    """The derivative of a function in the direction that comes after its arguments."""
    *point, direction = args
    return transforms.directional(function, direction, argnums)(*point, **named)


def _from_left(argnum: Any, count: int) -> Any:
    return argnum + count if type(argnum) is int and -count <= argnum < 0 else argnum


def _behind_self(argnums: Any) -> Any:
    if isinstance(argnums, list | tuple):
        return tuple([_behind_self(i) for i in argnums])
    return argnums + 1 if type(argnums) is int and argnums >= 0 else argnums


def compile(function: Callable | None = None, **options: Any) -> Any:
    """Compiles a function of scalars, with its derivatives, to native code.

    Args:
        function: a function of numbers, Modules, or nested lists, tuples, dicts, dataclasses and NumPy arrays of
            numbers. It calculates with them as with Values; an array arrives as one of objects. It may branch on
            numbers: each control-flow path is traced once. An `int` may choose from a list:
            `chainrule.take(xs, i)`. Values that the function closes over are read at each call; everything else that it
            closes over, plain numbers and attributes of a Module, is constant from the first call on (`explain()` lists
            numbers). Other arguments, such as strings, and what their attributes hold, belong to the structure: where
            they differ, the function is traced again.
        in_axes: for each positional argument the axis along which it differs from sample to sample, or None, or a
            nesting of these (as in `jax.vmap`); a single one holds for all arguments. The function is then that of one
            sample.
        reduce: for a batch: None for the results of each sample, "sum" or "mean".
        dtype: "float64" or "float32": the numbers of native code.
        threads: how many threads share large batches.
        strict: whether every bit must be the eager engine's.
        max_traces: the most control-flow paths for arguments of one structure.
        max_structures: for how many structures of arguments compiled code is kept; beyond, the least recently used is
            dropped.
        memory_limit: the most bytes that long loops may keep for their derivatives, for a block of samples; beyond,
            they are recomputed from checkpoints.

    Returns:
        A `CompiledFunction`. `compile` can be used as a decorator, with or without options.

    Raises:
        ArgumentError: an option is invalid.

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
        if isinstance(f, CompiledFunction):  # replaces its options
            f = f.function
        return CompiledFunction(check_function(f, "compile", "f and not f(x)"), chosen)

    return made if function is None else made(function)
