"""Plans: calls whose arguments lie as those of an earlier call, on the shortest way from numbers to results.

A plan is for one layout of the arguments and one thing that is asked of a function, such as its gradient by the second
argument. What the way of `Runner` works out at each call, it knows: where the numbers stand, which kernel of each
control-flow path calculates, and how the results are nested. It is for plain floats, ints, lists, tuples, dicts and
arrays alone, looks at all of them at each call, and leaves the call to `Runner` wherever anything is not as it was:
another class or length, guards that hold on no known path, numbers that are infinite or nan.

The compiled build has plans.pyx in place of this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import FLOATS, LARGE, Reading

MISSED = object()
"""In place of results: no plan is for these arguments."""


class Form:
    """The numbers of an argument, or of derivatives like it: how they are read, and how it is made of them."""

    def read(self, x: Any, into: Reading) -> bool:
        """Adds the numbers of `x` to `into`; returns False, perhaps midway, if `x` is not of this form."""
        raise NotImplementedError

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        """Returns a new one with the numbers that begin `at` a place, and where they end."""
        raise NotImplementedError


class One(Form):
    """A float."""

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not float:
            return False
        into.add((x,))
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        return float(numbers[at]), at + 1


class Whole(Form):
    """An int, up to the limit `exact` on either side of 0."""

    def __init__(self, exact: int) -> None:
        self.exact = exact

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not int or not -self.exact <= x <= self.exact:
            return False
        into.add((float(x),))
        return True


class Floats(Form):
    """A list or tuple of `count` floats."""

    def __init__(self, kind: Any, count: int) -> None:
        self.kind, self.count = kind, count

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not self.kind or len(x) != self.count or set(map(type, x)) != FLOATS:
            return False
        into.add(x)
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        end = at + self.count
        return self.kind(numbers[at:end].tolist()), end


class Parts(Form):
    """A list or tuple of such forms; or a dict, if there are `names`."""

    def __init__(self, kind: Any, parts: Sequence[Form], names: tuple[str, ...] | None = None) -> None:
        self.kind, self.parts, self.names = kind, tuple(parts), names

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not self.kind or len(x) != len(self.parts):
            return False
        if self.names is not None and (tuple(x) != self.names or not set(map(type, x)) <= {str}):
            return False
        parts = x if self.names is None else x.values()
        return all(form.read(part, into) for form, part in zip(self.parts, parts, strict=True))

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        made = []
        for form in self.parts:
            part, at = form.build(numbers, at)
            made.append(part)
        return self.kind(made if self.names is None else zip(self.names, made, strict=True)), at


class Cells(Form):
    """A float64 array of one shape, with at least one axis."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.count = shape, math.prod(shape)

    def read(self, x: Any, into: Reading) -> bool:
        if type(x) is not np.ndarray or x.dtype != np.float64 or x.shape != self.shape:
            return False
        into.add_array(np.array(x, dtype=np.float64).ravel() if self.count >= LARGE else x.ravel())
        return True

    def build(self, numbers: np.ndarray, at: int) -> tuple[Any, int]:
        end = at + self.count
        return numbers[at:end].reshape(self.shape), end


class Route:
    """The kernel of one control-flow path, for one plan.

    Args:
        path: the path.
        kernel: calculates what is asked.
        take: which of its outputs the results are made of, in their order; then all others.
        form: of the results.
        last: what `Runner` notes as its last call.
        strict: whether results may be infinite or nan.
    """

    def __init__(self, path: Any, kernel: Any, take: Sequence[int], form: Form, last: tuple, strict: bool) -> None:
        self._path, self._kernel, self._form, self.last, self._strict = path, kernel, form, last, strict
        self._take = None if list(take) == list(range(len(take))) else np.array(take, dtype=np.intp)

    @staticmethod
    def possible(kernel: Any) -> bool:
        """Returns whether a kernel can calculate for a plan."""
        return True

    def run(self, numbers: np.ndarray) -> tuple[bool, Any]:
        """Returns whether the path's guards hold, and the results; `MISSED` for results that are not finite."""
        found, _, held = self._kernel.run(self._path.numbers(numbers))
        if not held:
            return False, MISSED
        if not self._strict and not np.isfinite(found).all():
            return True, MISSED
        return True, self._form.build(found if self._take is None else found[self._take], 0)[0]


class Use:
    """When a structure was used: the number of the last call that did."""

    def __init__(self, last: int) -> None:
        self.last = last


class Plan:
    """The plan for one layout of the arguments and one thing that is asked.

    Args:
        asked: what is asked, and of which arguments.
        forms: those of the arguments.
        count: how many numbers they have.
        paths: the function's paths for their structure.
        use: when that was used last.

    Attributes:
        routes: for each path its `Route`; None for one whose kernel can calculate for no plan.
    """

    def __init__(self, asked: tuple, forms: Sequence[Form], count: int, paths: list, use: Use) -> None:
        self.asked, self.paths, self.use, self._forms = asked, paths, use, forms
        self.routes: dict[Any, Route | None] = {}

    def add(self, path: Any, route: Route | None) -> None:
        """Adds a path of the function."""
        self.routes[path] = route

    def run(self, args: tuple, plans: Plans) -> Any:
        """Returns the results of a call, or `MISSED`."""
        reading = Reading()
        if len(args) != len(self._forms):
            return MISSED
        if not all(form.read(x, reading) for form, x in zip(self._forms, args, strict=True)):
            return MISSED
        numbers = reading.numbers()
        for at, path in enumerate(list(self.paths)):
            route = self.routes.get(path)
            if route is None:
                return MISSED
            held, results = route.run(numbers)
            if held:
                if results is not MISSED:
                    plans.note(self, path if at else None, route.last)
                return results
        return MISSED


class Plans:
    """All plans of a function.

    Args:
        runner, paths: those of the function.

    Attributes:
        calls: the number of calls, which others count as well.
    """

    def __init__(self, runner: Any, paths: Any) -> None:
        self._runner, self._paths, self.calls = runner, paths, 0
        self._kept: dict[tuple, list[Plan]] = {}

    def run(self, what: int, argnums: Any, args: tuple) -> Any:
        """Runs the plan for a call.

        Args:
            what: what is asked.
            argnums: by which arguments is differentiated.
            args: the arguments.

        Returns:
            The results; `MISSED` if the call has to go the way of `Runner`.
        """
        asked = asked_of(what, argnums)
        if asked is None or self._paths.changes:
            return MISSED
        for plan in self._kept.get((asked, sizes_of(args)), ()):
            results = plan.run(args, self)
            if results is not MISSED:
                return results
        return MISSED

    def note(self, plan: Plan, path: Any, last: tuple) -> None:
        """Notes a call as is done for each: what it ran, that its structure was used, and the path to try first, unless
        that is None."""
        if path is not None:
            self._paths.put_first(plan.paths, path)
        self.calls += 1
        plan.use.last = self.calls
        self._runner.last = last

    def add(self, plan: Plan, args: tuple) -> None:
        """Adds a plan for arguments such as these."""
        key = plan.asked, sizes_of(args)
        kept = self._kept.get(key, [])
        if len(kept) < MOST_ALIKE:
            self._kept[key] = [*kept, plan]

    def forget(self, use: Use) -> None:
        """Forgets the plans for a structure."""
        for key, kept in list(self._kept.items()):
            self._kept[key] = [plan for plan in kept if plan.use is not use]
            if not self._kept[key]:
                del self._kept[key]


MOST_ALIKE = 16
"""The most plans for arguments that look alike from outside, as lists of lists do."""


def asked_of(what: int, argnums: Any) -> tuple | None:
    """Returns what is asked as part of a key; None if `argnums` is not plain: True is not 1."""
    if type(argnums) is int:
        return what, argnums
    return (what, argnums) if type(argnums) is tuple and set(map(type, argnums)) <= {int} else None


def sizes_of(args: tuple) -> tuple:
    """Returns how arguments look from outside: the length of each that has one."""
    return tuple([len(x) if type(x) in (list, tuple, dict) else x.shape if type(x) is np.ndarray else -1 for x in args])
