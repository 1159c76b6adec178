"""Expands a neuron's weighted sum into its products and sums.

The engine keeps Σ wᵢxᵢ + b as one node. Here each product and each partial sum becomes a node, with the numbers that
the same neuron written out by hand would have: a partial sum passes its gradient on unchanged, so the gradient of every
part is that of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chainrule.draw.graph import Drawable, Symbol, Trace
from chainrule.ops import add, mul

NEURON = "weighted_sum"


@dataclass(frozen=True, slots=True)
class Part:
    """A product or partial sum of a weighted sum; it can be drawn like a Value."""

    op: Symbol
    operands: tuple[Drawable, ...]
    locals: tuple[float | None, ...]
    data: float
    label: str
    grad: float
    constant: bool = False

    def peek_grad(self) -> float:
        """The gradient of the weighted sum."""
        return self.grad


def expand(trace: Trace) -> Trace:
    """Replaces each weighted sum by its parts, the last of which takes its place and label."""
    values: list[Drawable] = []
    operands: list[list[int]] = []
    new_place: list[int] = []
    unreached = set(trace.unreached)
    for value, old_sources in zip(trace.values, trace.operands, strict=True):
        sources = [new_place[source] for source in old_sources]
        if value.op is not None and value.op.name == NEURON and len(sources) > 1:
            place = {id(operand): source for operand, source in zip(value.operands, sources, strict=True)}
            for part in _parts(value):
                if id(value) in trace.unreached:
                    unreached.add(id(part))
                operands.append([place[id(operand)] for operand in part.operands])
                place[id(part)] = len(values)
                values.append(part)
        else:
            operands.append(sources)
            values.append(value)
        new_place.append(len(values) - 1)
    roots = [new_place[root] for root in trace.roots]
    return replace(trace, values=values, operands=operands, roots=roots, unreached=frozenset(unreached))


def _parts(neuron: Drawable) -> Iterator[Part]:
    """Yields each product, followed by the sum of everything up to it: ((b + w₁x₁) + w₂x₂) + …, as `weighted_sum`
    adds."""
    bias, *factors = neuron.operands
    local, *locals_ = neuron.locals
    no_bias = bias.constant and bias.data == 0
    partial: Drawable | None = None if no_bias else bias
    pairs = len(factors) // 2
    for i in range(pairs):
        last = i == pairs - 1
        pair, slopes = factors[2 * i : 2 * i + 2], locals_[2 * i : 2 * i + 2]
        product = _product(neuron, (pair[0], pair[1]), (slopes[0], slopes[1]), whole=last and partial is None)
        yield product
        if partial is None:
            partial = product
            continue
        before: Drawable = partial
        data, label = (neuron.data, neuron.label) if last else (before.data + product.data, "")
        result = Part(add, (before, product), (local, 1.0), data, label, neuron.peek_grad())
        partial, local = result, 1.0
        yield result


def _product(neuron: Drawable, pair: tuple[Drawable, Drawable], slopes: tuple, *, whole: bool) -> Part:
    """One wᵢxᵢ. A stored local derivative is the other factor at the time when the neuron was calculated."""
    weight, x = pair
    data = (weight.data if slopes[1] is None else slopes[1]) * (x.data if slopes[0] is None else slopes[0])
    label = neuron.label if whole else f"{weight.label}·{x.label}" if weight.label and x.label else ""
    return Part(mul, pair, slopes, neuron.data if whole else data, label, neuron.peek_grad())
