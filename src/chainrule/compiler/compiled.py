"""`compile`: ordinary scalar functions, and their derivatives, as native code."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.collector import collector_paused
from chainrule.compiler.flatten import Flat, flatten
from chainrule.compiler.graph import Graph
from chainrule.compiler.kernel import Kernel
from chainrule.compiler.levels.kernel import compile_graph
from chainrule.compiler.native import Machine
from chainrule.compiler.passes.batches import SAMPLES
from chainrule.compiler.pipeline import Stages, Wanted, calculation, loop_kernel, loops_of
from chainrule.compiler.report import GraphView, report
from chainrule.compiler.tracing import Traced, trace
from chainrule.errors import ArgumentError, OperandError, TraceError
from chainrule.trees import leaves, unflatten

SMALL = 500
"""A graph of so few nodes is levelled: there is too little in it for loops to pay."""


@dataclass(frozen=True)
class Options:
    """What `compile` was told."""

    in_axes: Any = None
    reduce: str | None = None
    dtype: str = "float64"
    threads: int = 1
    strict: bool = False
    max_traces: int = 32

    def __post_init__(self) -> None:
        if self.reduce not in (None, "mean", "sum"):
            raise ArgumentError(f"reduce is None, 'mean' or 'sum', not {self.reduce!r}")
        if self.reduce is not None and self.in_axes is None:
            raise ArgumentError("reduce is about a batch: say by in_axes which arguments have a sample axis")
        if self.dtype not in ("float64", "float32"):
            raise ArgumentError(f"dtype is 'float64' or 'float32', not {self.dtype!r}")
        if self.strict and self.dtype != "float64":
            raise ArgumentError("strict mode has the eager engine's bits, which are those of float64")
        if not isinstance(self.threads, int) or self.threads < 1:
            raise ArgumentError(f"threads is a number of threads, 1 or more, not {self.threads!r}")

    @property
    def bits(self) -> int:
        """The size of a number."""
        return 64 if self.dtype == "float64" else 32


@dataclass
class Path:
    """A trace, and the kernels that were made of it."""

    traced: Traced
    graph: Graph
    kernels: dict[Wanted, Kernel] = field(default_factory=dict)
    stages: dict[Wanted, Stages] = field(default_factory=dict)

    def kernel(self, wanted: Wanted, options: Options) -> Kernel:
        """The kernel for what is wanted, made when it is first asked for."""
        if wanted not in self.kernels:
            with collector_paused():
                self._make(wanted, options)
        return self.kernels[wanted]

    def _make(self, wanted: Wanted, options: Options) -> None:
        stages, machine = Stages(), Machine.default()
        graph = calculation(self.graph, wanted, stages)
        kernel: Kernel | None = None
        if not wanted.exact and (graph.batched or len(graph) > SMALL):
            planned = loops_of(graph, machine, options.bits, stages)
            if planned is not None:
                kernel = loop_kernel(planned, machine, options.bits, options.threads, stages)
        if kernel is None:
            with stages.timed("levels"):
                kernel = compile_graph(graph, machine, options.bits, wanted.exact)
        self.kernels[wanted], self.stages[wanted] = kernel, stages


@dataclass
class Results:
    """What came out: for each output, and then each derivative, a number or a row with one for each sample."""

    path: Path
    rows: list[Any]


class CompiledFunction:
    """A function as native code; made by `compile`, and called like the function."""

    def __init__(self, function: Callable, options: Options) -> None:
        self.function, self.options = function, options
        self._paths: dict[Any, list[Path]] = {}
        self._last: tuple[Path, Wanted] | None = None
        functools.update_wrapper(self, function)

    @property
    def traces(self) -> int:
        """How often the function was traced."""
        return sum([len(paths) for paths in self._paths.values()])

    # ---- what it gives ----
    def __call__(self, *args: Any) -> Any:
        """The value, in the structure that the function returns; of a batch, an array in place of each number."""
        flat = flatten(args, self.options.in_axes)
        return self._value(self._run(flat, 0, ()))

    def value_and_grad(self, *args: Any, argnums: int | Sequence[int] = 0) -> tuple[Any, Any]:
        """The value and the derivative by the arguments `argnums`, as `chainrule.value_and_grad` gives them."""
        flat = flatten(args, self.options.in_axes)
        wrt = self._wrt(flat, argnums)
        found = self._run(flat, 1, wrt)
        if not isinstance(found.path.traced.result, int):
            raise OperandError(f"grad needs a function that returns one number, but {self._name} returned a "
                               f"{type(found.path.traced.result).__name__}: use jacobian")  # fmt: skip
        return self._value(found), self._like(flat, argnums, found.rows[1:])

    def grad(self, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
        """The derivative, as `chainrule.grad` gives it."""
        return self.value_and_grad(*args, argnums=argnums)[1]

    def jacobian(self, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
        """Every derivative of every result, as `chainrule.jacobian` gives them."""
        flat = flatten(args, self.options.in_axes)
        wrt = self._wrt(flat, argnums)
        found = self._run(flat, 1, wrt)
        result = found.path.traced.result
        count = len(leaves(result))
        rows = [found.rows[count + i * len(wrt) : count + (i + 1) * len(wrt)] for i in range(count)]
        return unflatten(result, [self._like(flat, argnums, row) for row in rows])

    def hessian(self, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
        """All second derivatives, as `chainrule.hessian` gives them."""
        flat = flatten(args, self.options.in_axes)
        wrt = self._wrt(flat, argnums)
        found = self._run(flat, 2, wrt)
        if not isinstance(found.path.traced.result, int):
            raise OperandError(f"hessian needs a function that returns one number, but {self._name} returned several")
        n = len(wrt)
        rows = [found.rows[1 + n + i * n : 1 + n + (i + 1) * n] for i in range(n)]
        if self.options.in_axes is not None:
            return np.array(rows)
        return self._like(flat, argnums, [self._like(flat, argnums, row) for row in rows])

    # ---- what is known of it ----
    def explain(self) -> str:
        """What became of the last call's function: loops, vectors, bytes and operations, times, constants."""
        if self._last is None:
            raise TraceError(f"call {self._name} once, then there is something to explain")
        path, wanted = self._last
        return report(self, path, wanted)

    @property
    def graph(self) -> GraphView:
        """The graph of the last call: `print(f.graph)`, and after each pass `print(f.graph["differentiate"])`."""
        if self._last is None:
            raise TraceError(f"call {self._name} once, then there is a graph")
        path, wanted = self._last
        return GraphView(path.stages[wanted].graphs)

    def __reduce__(self) -> tuple:
        return _compiled, (self.function, self.options)

    # ---- running ----
    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def _wrt(self, flat: Flat, argnums: int | Sequence[int]) -> tuple[int, ...]:
        count = len(flat.spans)
        found: list[int] = []
        for i in (argnums,) if isinstance(argnums, int) else argnums:
            if not -count <= i < count:
                raise ArgumentError(f"argnums={i}, but {self._name} was called with {count} positional arguments")
            if flat.whole.intersection(flat.spans[i]):
                raise ArgumentError(f"argument {i} of {self._name} has integers, which have no derivative: give floats")
            found += flat.spans[i]
        return tuple(found)

    def _run(self, flat: Flat, order: int, wrt: tuple[int, ...]) -> Results:
        options = self.options
        reduce = options.reduce if flat.columns is not None else None
        wanted = Wanted(order, wrt, reduce, options.strict)
        run = self._run_one if flat.columns is None else self._run_batch
        found = run(flat, wanted)
        derivatives = found.rows[len(leaves(found.path.traced.result)) :]
        if not options.strict and options.bits == 64 and _has_nan(derivatives, flat.columns is not None):
            return run(flat, Wanted(order, wrt, reduce, True))  # by the rule that a zero in a product deposits nothing
        return found

    def _run_one(self, flat: Flat, wanted: Wanted) -> Results:
        paths = self._paths.setdefault(flat.key, [])
        for at, path in enumerate(paths):
            shared, _, held = path.kernel(wanted, self.options).run(self._inputs(path, flat))
            if held:
                if at:
                    paths.insert(0, paths.pop(at))
                self._last = path, wanted
                return Results(path, shared.tolist())
        path = self._trace(flat)
        shared, _, _ = path.kernel(wanted, self.options).run(self._inputs(path, flat))
        self._last = path, wanted
        return Results(path, shared.tolist())

    def _run_batch(self, flat: Flat, wanted: Wanted) -> Results:
        """All samples; those for which a path does not hold go on to the next."""
        assert flat.columns is not None
        samples = flat.columns.shape[1]
        rest = np.arange(samples)
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, Path]] = []
        tried = 0
        paths = self._paths.setdefault(flat.key, [])
        each_wanted = Wanted(wanted.order, wanted.wrt, wanted.reduce and "sum", wanted.exact)
        while len(rest):
            columns = flat.columns if len(rest) == samples else np.ascontiguousarray(flat.columns[:, rest])
            if tried == len(paths):
                own = flat.numbers.copy()
                own[flat.batched] = columns[:, 0]
                self._trace(flat, own, last=True)
            path = paths[tried]
            tried += 1
            ok = np.ones(len(rest), dtype=bool)
            if path.graph.guards:
                _, _, held = path.kernel(Wanted(0, (), None, wanted.exact), self.options).run(
                    self._inputs(path, flat, len(rest)), columns
                )
                ok = np.broadcast_to(held, ok.shape)
            if ok.any():
                some = columns if ok.all() else np.ascontiguousarray(columns[:, ok])
                kernel = path.kernel(each_wanted, self.options)
                shared, each, _ = kernel.run(self._inputs(path, flat, some.shape[1]), some)
                parts.append((rest[ok], shared, each, path))
            rest = rest[~ok]
        self._last = parts[0][3], each_wanted
        return Results(parts[0][3], self._together(parts, wanted, samples, set(flat.batched)))

    def _together(self, parts: list, wanted: Wanted, samples: int, batched: set[int]) -> list[Any]:
        """The results of all parts of a batch as one. With `reduce`, only derivatives by what differs from sample to
        sample are each sample's own."""
        rows: list[Any] = []
        own = _own(len(parts[0][1]), wanted, batched)
        mean = samples if wanted.reduce == "mean" else 1
        for i, one_each in enumerate(own):
            varies = [bool(np.isnan(part[1][i])) and len(part[2]) > 0 for part in parts]
            found = [part[2][_row(part, i)] if v else part[1][i] for part, v in zip(parts, varies, strict=True)]
            if not one_each:
                rows.append(float(sum(found)) / mean)
                continue
            row = np.empty(samples)
            for part, x in zip(parts, found, strict=True):
                row[part[0]] = x
            rows.append(row / mean)
        return rows

    def _inputs(self, path: Path, flat: Flat, samples: int = 0) -> np.ndarray:
        live = [value.data for value in path.traced.live]
        extra = [float(samples)] if path.graph.inputs > path.traced.graph.inputs else []
        return np.concatenate([flat.numbers, live, extra])

    def _trace(self, flat: Flat, numbers: np.ndarray | None = None, last: bool = False) -> Path:
        paths = self._paths[flat.key]
        if len(paths) >= self.options.max_traces:
            raise TraceError(
                f"{self._name} went {len(paths)} different ways, which is the most there may be: let its branches "
                "depend on fewer numbers, say them by chainrule.select, relu or max, or give max_traces=…"
            )
        sample = flat.sample if numbers is None else _renewed(flat, numbers)
        with collector_paused():
            traced = trace(self.function, sample, flat.batched)
        graph = traced.graph if flat.columns is None else traced.graph.with_input(SAMPLES)
        path = Path(traced, graph)
        paths.insert(len(paths) if last else 0, path)
        return path

    def _value(self, found: Results) -> Any:
        result = found.path.traced.result
        return unflatten(result, found.rows[: len(leaves(result))])

    def _like(self, flat: Flat, argnums: int | Sequence[int], rows: Sequence[Any]) -> Any:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        parts, at = [], 0
        for i in chosen:
            count = len(flat.spans[i])
            own = rows[at : at + count]
            at += count
            samples = flat.columns is not None and any(isinstance(x, np.ndarray) for x in own)
            parts.append(flat.like[i].filled(own, samples))
        return parts[0] if isinstance(argnums, int) else tuple(parts)


def _has_nan(rows: list[Any], batch: bool) -> bool:
    """Whether nan is among numbers or, of a batch, rows of them."""
    return any(np.isnan(row).any() for row in rows) if batch else bool(np.isnan(rows).any())


def _own(count: int, wanted: Wanted, batched: set[int]) -> list[bool]:
    """For each result whether every sample has its own: values first, then derivatives, `wrt` running fastest."""
    values = count // sum([len(wanted.wrt) ** order for order in range(wanted.order + 1)])
    own = [wanted.reduce is None] * values
    for order in range(wanted.order):
        times = values * len(wanted.wrt) ** order
        own += [wanted.reduce is None or node in batched for _ in range(times) for node in wanted.wrt]
    return own


def _row(part: Any, i: int) -> int:
    """Which row of `each` has output i: that of the outputs before it that differ from sample to sample as well."""
    return int(np.isnan(part[1][:i]).sum())


def _renewed(flat: Flat, numbers: np.ndarray) -> list[Any]:
    """The arguments with other numbers."""
    row = iter(numbers.tolist())
    whole = iter(range(len(numbers)))

    def leaf(x: Any) -> Any:
        from_row = isinstance(x, int | float | np.generic) and not isinstance(x, bool)
        if not from_row:
            return x
        at, new = next(whole), next(row)
        return int(new) if at in flat.whole else new

    return [unflatten(tree, [leaf(x) for x in leaves(tree)]) for tree in flat.sample]


def _compiled(function: Callable, options: Options) -> CompiledFunction:
    return CompiledFunction(function, options)


def compile(function: Callable | None = None, **options: Any) -> Any:
    """A function of scalars as native code, with its derivatives.

    Args:
        function: of numbers, or nested lists, tuples and dicts of numbers, that it calculates with as on Values. It may
            branch on them: each way it goes is traced once. Values that it closes over are read at each call.
        in_axes: for each positional argument the axis along which it differs from sample to sample, or None (as
            `jax.vmap` names it); one for all may stand alone. The function is then that of one sample.
        reduce: of a batch: None for the results of each sample, "sum" or "mean".
        dtype: "float64" or "float32".
        threads: among how many threads large batches are shared out.
        strict: whether every bit must be that of the eager engine.
        max_traces: how many different ways it may go, for arguments of the same structure.

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
    chosen = Options(**options)
    if function is None:
        return lambda f: CompiledFunction(f, chosen)
    return CompiledFunction(function, chosen)
