"""Plans: calls whose arguments lie as those of an earlier call, on the shortest way from numbers to results.

A plan is for one layout of the arguments and one thing that is asked of a function, such as its gradient by the second
argument. What the way of `Runner` works out at each call, it knows: where the numbers stand, which kernel of each
control-flow path calculates, and how the results are nested. It is for plain floats, ints, lists, tuples, dicts and
arrays alone, looks at all of them at each call, and leaves the call to `Runner` wherever anything is not as it was:
another class or length, guards that hold on no known path, numbers that are infinite or nan.

The compiled build has plans.pyx in place of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import Reading
from chainrule.compiler.calling.forms import Form

MISSED = object()
"""In place of results: no plan is for these arguments."""


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
        batches: whether arrays may be batches, of any number of samples.

    Attributes:
        calls: the number of calls, which others count as well.
    """

    def __init__(self, runner: Any, paths: Any, batches: bool) -> None:
        self._runner, self._paths, self._batches, self.calls = runner, paths, batches, 0
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
        for plan in self._kept.get((asked, self._sizes_of(args)), ()):
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
        key = plan.asked, self._sizes_of(args)
        kept = self._kept.get(key, [])
        if len(kept) < MOST_ALIKE:
            self._kept[key] = [*kept, plan]

    def _sizes_of(self, args: tuple) -> tuple:
        """Returns how arguments look from outside: the length of each that has one."""
        rows = (list, tuple, dict) if self._batches else (list, tuple, dict, np.ndarray)
        return tuple([len(x) if type(x) in rows and getattr(x, "shape", None) != () else -1 for x in args])

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
