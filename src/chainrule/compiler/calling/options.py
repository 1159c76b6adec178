"""The options of `compile`, and the errors of `compile` and `compile_step` for options and functions that make no
sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from chainrule.compiler.loops.codegen.build import MEMORY_LIMIT
from chainrule.compiler.pipeline import Target
from chainrule.core.trees import leaves
from chainrule.errors import ArgumentError, shown, suggest

T = TypeVar("T")

MAX_STRUCTURES = 256
"""Compiled code is kept for this many structures of arguments."""


@dataclass(frozen=True)
class Options:
    """See `chainrule.compile`.

    Raises:
        ArgumentError: an option makes no sense.
    """

    in_axes: Any = None
    reduce: str | None = None
    dtype: str = "float64"
    threads: int = 1
    strict: bool = False
    max_traces: int = 32
    memory_limit: int = MEMORY_LIMIT
    max_structures: int = MAX_STRUCTURES

    def __post_init__(self) -> None:
        if self.reduce not in (None, "mean", "sum"):
            raise ArgumentError(f"reduce is None, 'mean' or 'sum', not {shown(self.reduce)}")
        if self.in_axes is not None and not _axes(self.in_axes):
            raise ArgumentError(
                f"in_axes={shown(self.in_axes)} names no axis: give in_axes=0, or one for each argument, (None, 0)"
            )
        if self.reduce is not None and self.in_axes is None:
            raise ArgumentError("reduce is about a batch: say by in_axes which arguments have a sample axis")
        if self.dtype not in ("float64", "float32"):
            raise ArgumentError(f"dtype is 'float64' or 'float32', not {self.dtype!r}")
        if self.strict and self.dtype != "float64":
            raise ArgumentError("strict mode has the eager engine's bits, which are those of float64")
        check_counts(self)

    @property
    def bits(self) -> int:
        """The size of a number."""
        return 64 if self.dtype == "float64" else 32

    @property
    def target(self) -> Target:
        """The machine that native code is compiled for."""
        return Target(self.bits, self.threads, self.memory_limit)

    def axes(self, count: int, name: str) -> tuple[Any, ...]:
        """For each of `count` positional arguments, its axis or nesting of axes.

        Raises:
            ArgumentError: `in_axes` is for another number of arguments.

        >>> Options(in_axes=(0, None)).axes(2, "f"), Options(in_axes=0).axes(2, "f"), Options().axes(1, "f")
        ((0, None), (0, 0), (None,))
        """
        if self.in_axes is None or isinstance(self.in_axes, int):
            return (self.in_axes,) * count
        if not isinstance(self.in_axes, list | tuple):
            given = shown(self.in_axes)
            raise ArgumentError(f"in_axes is a whole number, or a tuple with one for each argument: {given}")
        if len(self.in_axes) != count:
            raise ArgumentError(
                f"in_axes has {len(self.in_axes)} entries, but {name} was called with {count} arguments"
            )
        return tuple(self.in_axes)


def options_of(kind: type[T], given: dict[str, Any], name: str) -> T:
    """The options that a function was given by name.

    Raises:
        ArgumentError: there is no such option, or one makes no sense.

    >>> options_of(Options, {"in_axis": 0}, "compile")
    Traceback (most recent call last):
    chainrule.errors.ArgumentError: compile has no option 'in_axis'. Did you mean 'in_axes'? Its options are ...
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for option in given:
        if option not in known:
            hint = suggest(option, known)
            raise ArgumentError(f"{name} has no option {option!r}.{hint} Its options are {', '.join(known)}")
    return kind(**given)


def check_counts(options: Any) -> None:
    """Checks that options that count something are whole numbers, 1 or more.

    Raises:
        ArgumentError: one is not.
    """
    for name in ("threads", "max_traces", "max_structures", "memory_limit"):
        x = getattr(options, name)
        if isinstance(x, bool) or not isinstance(x, int) or x < 1:
            raise ArgumentError(f"{name} is a whole number, 1 or more, not {x!r}")


def check_function(function: Any, name: str, example: str) -> Callable:
    """The function that is to be compiled.

    Raises:
        ArgumentError: it is no function.
    """
    if callable(function):
        return function
    given = f"the {type(function).__name__} {shown(function, 40)}"
    raise ArgumentError(f"{name} takes a function, such as {example}, not {given}")


def _axes(tree: Any) -> list[int]:
    """All axes in a nesting of axes.

    Raises:
        ArgumentError: it holds something else.
    """
    axes = [axis for axis in leaves(tree) if axis is not None]
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ArgumentError(f"in_axes is made of whole numbers and None, not {shown(axis)}")
    return axes
