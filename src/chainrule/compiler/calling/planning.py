"""How plans are made, from a call that went the way of `Runner`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.compiler.calling.arguments import EXACT
from chainrule.compiler.calling.batch_plans import BatchPlan, BatchRoute, Columns
from chainrule.compiler.calling.forms import Cells, Floats, Form, One, Parts, Whole
from chainrule.compiler.calling.layouts import Array, Number, Row
from chainrule.compiler.calling.options import Options
from chainrule.compiler.calling.paths import Path, Paths
from chainrule.compiler.calling.plans import Plan, Plans, Route, asked_of
from chainrule.compiler.calling.results import own_by_sample
from chainrule.compiler.calling.running import Call
from chainrule.compiler.pipeline import Wanted
from chainrule.core.trees import leaves, parts_of

VALUE, VALUE_AND_GRAD, JACOBIAN = range(3)
"""What is asked of a function."""


class Planner:
    """Makes the plans of a function.

    Args:
        options, paths: those of the function.
        plans: gets the plans.
    """

    def __init__(self, options: Options, paths: Paths, plans: Plans) -> None:
        self._options, self._paths, self._plans = options, paths, plans

    def learn(self, what: int, argnums: Any, call: Call, chosen: int | tuple[int, ...], wrt: tuple[int, ...]) -> None:
        """Makes a plan for calls such as this one, which has been run; or adds to that plan the path that it took.

        Args:
            what: what was asked.
            argnums: by which arguments was differentiated, as the user gave it.
            call: the call.
            chosen, wrt: that argument or these, as positions from the left, and the inputs of the graph
                that they have.
        """
        structure, asked = call.structure, asked_of(what, argnums)
        if structure is None or asked is None or call.layout.named or self._options.bits != 64:
            return
        if asked not in structure.planned:
            if not all(map(_is_plain, call.layout.forms, call.given)):
                return
            self._begin(asked, call)
        plan, path = structure.planned[asked], call.paths[0] if call.paths else None
        if plan is None or path is None or path in plan.routes:
            return
        options = self._options
        wanted = Wanted(min(what, 1), wrt, options.reduce and "sum", options.strict)
        if wanted in path.made:
            plan.add(path, self._route(what, call, chosen, path, wanted))

    def _begin(self, asked: tuple, call: Call) -> None:
        """Begins the plan of a structure; None stands for one that has none."""
        structure, kind = call.structure, Plan if call.columns is None else BatchPlan
        assert structure is not None
        forms: Any = [_form_of_argument(form, x) for form, x in zip(call.layout.forms, call.given, strict=True)]
        plan = None
        if kind is not None and None not in forms:
            plan = kind(asked, forms, call.layout.count, structure.paths, structure.used)
        with self._paths.lock:  # under which structures are forgotten, and their plans with them
            if asked not in structure.planned:
                structure.planned[asked] = plan
                if plan is not None and not structure.forgotten:
                    self._plans.add(plan, call.given)

    def _route(self, what: int, call: Call, chosen: int | tuple[int, ...], path: Path, wanted: Wanted) -> Any:
        made, alone, result = self._paths.made(path, wanted), isinstance(chosen, int), path.traced.result
        places: Any = (chosen,) if alone else chosen
        by: list[Any] = leaves([call.layout.forms[i] for i in places])
        if call.columns is not None and any(isinstance(leaf, Array) and not leaf.count for leaf in by):
            return None  # a derivative without numbers says nothing of samples
        forms = [form_of(call.layout.forms[i], call.given[i]) for i in places]
        shape = _results(what, result, forms, len(wanted.wrt), alone)  # type: ignore[arg-type]
        if shape is None:
            return None
        form, take = shape
        rest = sorted(set(range(len(made.varies))) - set(take))
        given = path, made.kernel, [*take, *rest], form, (call.layout, path, wanted), self._options.strict
        if call.columns is None:
            return Route(*given) if Route.possible(made.kernel) else None
        reduce, batched = self._options.reduce, tuple(call.layout.batched)
        if reduce is not None and own_by_sample(wanted, len(leaves(result)), batched).any():
            return None
        return BatchRoute(*given, reduce) if BatchRoute.possible(made.kernel, reduce, len(batched)) else None


def _form_of_argument(tree: Any, x: Any) -> Form | None:
    """Returns the form of an argument, which may be batched."""
    if isinstance(tree, Array) and tree.batched:
        first, last = _samples_of(tree)
        plain = (first or last) and tree.count and not tree.whole and not tree.of_lists
        return Columns(tree.shape, last) if plain and Columns is not None else None
    within = any(isinstance(leaf, Array) and leaf.batched for leaf in leaves(tree))  # `Cells` would be one sample's
    return None if within else form_of(tree, x)


def _samples_of(tree: Array) -> tuple[bool, bool]:
    """Returns whether the samples of a batched array lie along its first axis, and whether along its last, not being
    the first; without a batch neither."""
    if tree.axis is None:
        return False, False
    axis = tree.axis % (len(tree.shape) + 1)
    return axis == 0, 0 < axis == len(tree.shape)


def _is_plain(tree: Any, x: Any) -> bool:
    """Returns whether an argument is of classes that forms read: `np.float64` has the layout of a float, and a call
    with one says nothing of those with floats."""
    if isinstance(tree, Number):
        return type(x) is (int if tree.whole else float)
    if isinstance(tree, Row):
        return all(type(one) is float for one in x) and type(x) is tree.kind
    if isinstance(tree, Array):
        return type(x) is np.ndarray
    if type(x) is not type(tree) or len(x) != len(tree):
        return False
    parts: Any = parts_of(x) or ()
    return all(map(_is_plain, parts_of(tree) or (), parts))


def form_of(tree: Any, x: Any, exact: int = EXACT) -> Form | None:
    """Returns the form of an argument; None if it has parts that plans do not know.

    Args:
        tree: its form in a `Layout`.
        x: the argument.
        exact: the limit up to which native code holds every integer exactly.
    """
    if isinstance(tree, Number):
        return Whole(exact) if tree.whole else One()
    if isinstance(tree, Row):
        return Floats(tree.kind, tree.count)
    if isinstance(tree, Array):  # derivatives by a batched one lie like one that is not
        return None if tree.whole else Cells(tree.shape, _samples_of(tree)[1])
    if type(tree) not in (list, tuple, dict) or type(x) is not type(tree):
        return None
    names = tuple(tree) if type(tree) is dict else None
    changed = len(tree) != len(x)  # by the function, or by another thread meanwhile
    if changed or (names is not None and not set(map(type, names)) <= {str}):
        return None
    parts = [form_of(part, of, exact) for part, of in zip(parts_of(tree) or (), parts_of(x) or (), strict=False)]
    return None if None in parts else Parts(type(tree), parts, names)  # type: ignore[arg-type]


def _results(what: int, result: Any, forms: Sequence[Form], count: int, alone: bool) -> tuple[Form, list[int]] | None:
    """Returns the form of what a call returns, and the outputs that it is made of, in order; None if a plan cannot make
    it.

    Args:
        what: what is asked.
        result: the structure of what the function returns, with places instead of numbers.
        forms: those of the arguments by which is differentiated.
        count: how many numbers these have.
        alone: whether there is one such argument, which stands in no tuple.
    """
    values = len(leaves(result))
    derivatives = forms[0] if alone else Parts(tuple, forms)

    def of(tree: Any, take: list[int]) -> Form | None:
        if type(tree) is int:
            take += [tree] if what != JACOBIAN else range(values + tree * count, values + (tree + 1) * count)
            return One() if what != JACOBIAN else derivatives
        if type(tree) not in (list, tuple, dict):
            return None
        parts = [of(part, take) for part in parts_of(tree) or ()]
        names = tuple(tree) if type(tree) is dict else None
        return None if None in parts else Parts(type(tree), parts, names)  # type: ignore[arg-type]

    take: list[int] = []
    form = of(result, take)
    if form is None or what != VALUE_AND_GRAD:
        return None if form is None else (form, take)
    return Parts(tuple, [form, derivatives]), [*take, *range(values, values + count)]
