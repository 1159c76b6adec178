"""The names of leaves in pictures and explanations: of the parameters of models, and of what went into these.

A parameter does not know its name, since that is its place in a model. So models are noted here when they are called,
or asked for their parameters; they are not kept alive. Whoever shows a graph asks for the names of its leaves.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

NEURON = "weighted_sum"
"""The operation that takes a bias, and then weights and inputs in turn."""


class Model(Protocol):
    """What has parameters."""

    def _contents(self) -> tuple[dict[int, str], Mapping[int, Any]]:
        """Gives the names of its parameters, and the objects that are parts of it or of its parts, both by `id()`."""
        ...


known: dict[int, weakref.ref[Any]] = {}
"""The models that were noted and live, by `id()`, in the order in which they were noted."""


def note(model: Model) -> None:
    """Notes a model. (What is called often looks into `known` first.)"""
    key = id(model)
    known[key] = weakref.ref(model, lambda _: known.pop(key, None))


def names_in(values: Sequence[Any]) -> dict[int, str]:
    """Returns, by `id()`, the names of the leaves of a graph that are parameters of a model, or inputs of its neurons.

    An input's name is that of its place in its sample: `x[2]`; or `x0[2]`, where there are several samples. A label of
    the user's own goes before a name.

    Args:
        values: the nodes, operands before results.
    """
    if not known:
        return {}
    leaves = {id(value) for value in values if value.op is None and not value.constant}
    names = _of_parameters(leaves) if leaves else {}
    return {**_of_inputs(values, names), **names} if names else {}


def _of_parameters(leaves: set[int]) -> dict[int, str]:
    found = []
    for model, names in _outermost():
        here = {leaf: name for leaf, name in names.items() if leaf in leaves}
        if here:
            found.append((type(model).__name__, here))
    holders = Counter(name for _, here in found for name in set(here.values()))
    alike = Counter(kind for kind, _ in found)
    numbers: Counter[str] = Counter()
    named: dict[int, str] = {}
    for kind, here in found:
        numbers[kind] += 1
        apart = any(holders[name] > 1 for name in here.values())  # two models have parameters of the same name
        prefix = f"{kind}{numbers[kind] if alike[kind] > 1 else ''}." if apart else ""
        for leaf, name in here.items():
            named.setdefault(leaf, prefix + name)
    return named


def _outermost() -> Iterator[tuple[Model, dict[int, str]]]:
    """Yields the models that are no part of another, each with the names of its parameters."""
    within: dict[int, Any] = {}  # which keeps the objects, so that no new one gets the identity of one of them
    models = []
    for model in [model for reference in list(known.values()) if (model := reference()) is not None]:
        if id(model) not in within:
            names, parts = model._contents()
            within.update(item for item in parts.items() if item[0] != id(model))
            models.append((model, names))
    yield from [found for found in models if id(found[0]) not in within]


def _of_inputs(values: Sequence[Any], parameters: Mapping[int, str]) -> dict[int, str]:
    """The names of the leaves that a neuron takes as its inputs, if all of its weights are parameters. Its first use is
    for the first sample."""
    uses: Counter[int] = Counter()
    rows = []
    for value in values:
        if value.op is None or value.op.name != NEURON:
            continue
        _, *rest = value.operands
        weights, inputs = rest[::2], rest[1::2]
        leaves = all(x.op is None and id(x) not in parameters for x in inputs)
        if weights and leaves and all(id(weight) in parameters for weight in weights):
            rows.append((uses[id(weights[0])], inputs))
            uses[id(weights[0])] += 1
    several = any(count > 1 for count in uses.values())
    names: dict[int, str] = {}
    for sample, inputs in rows:
        for i, x in enumerate(inputs):
            names.setdefault(id(x), f"x{sample if several else ''}[{i}]")
    return names
