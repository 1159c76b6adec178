"""Reverse-mode differentiation of graphs: adds the nodes of derivatives, by the chain rule from the result back.

Local derivatives come from the table: the same text that gives the eager engine its numbers runs on symbols here. A
symbol stands for a node of the graph, and calculating with it adds nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.graph.passes.fold import plain
from chainrule.core.operation import Operation, add_methods, number
from chainrule.core.packing import Row
from chainrule.errors import OperandError


class Symbol:
    """A node of a graph under construction, to calculate with: results are nodes of the same graph."""

    __slots__ = ("_graph", "_node")

    def __init__(self, graph: Graph, node: int) -> None:
        self._graph, self._node = graph, node

    @property
    def node(self) -> int:
        """The number of its node."""
        return self._node

    @staticmethod
    def _record(op: Operation, operands: Sequence[Any]) -> Symbol:
        (some, *_) = [x for x in operands if isinstance(x, Symbol)]
        graph = some._graph
        nodes = tuple([x._node if isinstance(x, Symbol) else graph.constant(number(x, op.name)) for x in operands])
        return Symbol(graph, plain(graph, op, nodes))

    # fmt: off
    def __add__(self, other: Any) -> Symbol: return ops.add(self, other)
    def __radd__(self, other: Any) -> Symbol: return ops.add(other, self)
    def __sub__(self, other: Any) -> Symbol: return ops.sub(self, other)
    def __rsub__(self, other: Any) -> Symbol: return ops.sub(other, self)
    def __mul__(self, other: Any) -> Symbol: return ops.mul(self, other)
    def __rmul__(self, other: Any) -> Symbol: return ops.mul(other, self)
    def __truediv__(self, other: Any) -> Symbol: return ops.div(self, other)
    def __rtruediv__(self, other: Any) -> Symbol: return ops.div(other, self)
    def __pow__(self, other: Any) -> Symbol: return ops.pow(self, other)
    def __rpow__(self, other: Any) -> Symbol: return ops.pow(other, self)
    def __neg__(self) -> Symbol: return ops.neg(self)
    def __pos__(self) -> Symbol: return self
    def __abs__(self) -> Symbol: return ops.abs(self)
    def __lt__(self, other: Any) -> Symbol: return ops.lt(self, other)
    def __le__(self, other: Any) -> Symbol: return ops.le(self, other)
    def __gt__(self, other: Any) -> Symbol: return ops.gt(self, other)
    def __ge__(self, other: Any) -> Symbol: return ops.ge(self, other)
    def __eq__(self, other: Any) -> Any: return ops.eq(self, other)
    def __ne__(self, other: Any) -> Any: return ops.ne(self, other)
    __hash__ = None  # type: ignore[assignment]
    # fmt: on

    def __bool__(self) -> bool:
        raise OperandError(
            "a formula asked whether a number is true, which is not known when it is compiled: say "
            "chainrule.select(x > 0, a, b) in place of a if x > 0 else b"
        )


add_methods(Symbol, setattr, delattr)


def differentiate(graph: Graph, output: int, wrt: Sequence[int], exact: bool = False) -> list[int]:
    """Adds to a graph the derivatives of one of its nodes.

    Args:
        graph: the graph, which is extended in place.
        output: the node to differentiate.
        wrt: the inputs (or other nodes) with respect to which to differentiate.
        exact: whether to add and multiply just as the eager transforms do, by whose rule a zero on either side of a
            product deposits nothing. Otherwise products are plain: 0 · inf, and with it a derivative, may be nan where
            that rule gives 0. Long sums then are single nodes.

    Returns:
        The node of each derivative. With respect to an input that all samples share, the derivative of an output that
        differs from sample to sample is one sample's.

    >>> from chainrule.compiler.graph.passes.rebuild import prune
    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> graph = from_text("%0 = input x\\n%1 = input y\\n%2 = mul %0 %1\\n%3 = sin %2\\nreturn %3")
    >>> graph.outputs = differentiate(graph, 3, [0])
    >>> print(to_text(prune(graph)))
    %0 = input x
    %1 = input y
    %2 = mul %0 %1
    %3 = constant 0.0
    %4 = cos %2
    %5 = weighted_sum %3 %4 %1
    return %5
    """
    return _Sweep(graph, output, wrt, exact).run()


class _Sweep:
    """One reverse sweep from a result to the inputs."""

    def __init__(self, graph: Graph, output: int, wrt: Sequence[int], exact: bool) -> None:
        self.graph, self.output, self.wrt, self.exact = graph, output, wrt, exact
        self.contributions: dict[int, list[tuple[int, int]]] = {}  # node: pairs (upstream, local) that arrived there
        self.one, self.minus_one = graph.constant(1.0), graph.constant(-1.0)
        self.zero = graph.constant(0.0)
        self.symbols: dict[int, Symbol] = {}

    def run(self) -> list[int]:
        active = self._active_nodes()
        order = _depth_first(self.graph, self.output) if self.exact else range(self.output + 1)
        self.contributions[self.output] = [(self.one, self.one)]
        gradient: dict[int, int] = {}
        for node in reversed(order):
            if node in self.contributions and active[node]:
                gradient[node] = self._accumulated(self.contributions.pop(node))
                if self.graph.ops[node] is not None and node not in self.stops:
                    self._propagate(node, gradient[node], active)
        return [gradient.get(node, self.zero) for node in self.wrt]

    def _active_nodes(self) -> list[bool]:
        """Activity analysis: for each node whether it depends on a node with respect to which the graph is
        differentiated."""
        self.stops = set(self.wrt)
        active: list[bool] = []
        for i, (op, operands) in enumerate(zip(self.graph.ops, self.graph.operands, strict=True)):
            flows = op is not None and any(active[k] and op.flows(at) for at, k in enumerate(operands))
            active.append(flows or i in self.stops)
        return active

    def _propagate(self, node: int, upstream: int, active: list[bool]) -> None:
        """Propagates local × upstream to each operand."""
        graph, op = self.graph, self.graph.ops[node]
        assert op is not None
        operands = graph.operands[node]
        places = [i for i, k in enumerate(operands) if active[k] and op.flows(i)]
        if op is ops.weighted_sum and not self.exact:  # a short cut for by far the most nodes
            local = [self.one if i == 0 else operands[i + 1] if i % 2 else operands[i - 1] for i in places]
        elif op is ops.sum or op is ops.add or op is BATCH_SUM:
            local = [self.one] * len(places)
        else:
            local = self._local(op, places, operands, node)
        for i, slope in zip(places, local, strict=True):
            self.contributions.setdefault(operands[i], []).append((upstream, slope))

    def _local(self, op: Operation, places: list[int], operands: tuple[int, ...], node: int) -> list[int]:
        xs, y = Row([self._symbol(k) for k in operands]), self._symbol(node)
        slopes = [
            op.local(i, xs, y, finite=not self.exact) for i in places
        ]  # if not finite: nan, and exact mode repeats it
        return [x._node if isinstance(x, Symbol) else self._constant(number(x, op.name)) for x in slopes]

    def _constant(self, x: float) -> int:
        """Adds a constant of a local derivative; 1 and -1 are shared, so that products with them can be left out."""
        return self.one if x == 1 else self.minus_one if x == -1 else self.graph.constant(x)

    def _symbol(self, node: int) -> Symbol:
        symbol = self.symbols.get(node)
        if symbol is None:
            symbol = self.symbols[node] = Symbol(self.graph, node)
        return symbol

    def _accumulated(self, contributions: list[tuple[int, int]]) -> int:
        """Adds up what arrived at a node.

        Products form a `weighted_sum` even if there is just one: similar nodes may have received several, and all
        should have the same shape.
        """
        if self.exact:
            products = [plain(self.graph, ops.chain, pair) for pair in contributions]
            total = products[0]
            for product in products[1:]:
                total = self.graph.add(ops.add, total, product)
            return total
        if not any(self.one in pair or self.minus_one in pair for pair in contributions):
            return self.graph.add(ops.weighted_sum, self.zero, *[k for pair in contributions for k in pair])
        if len(contributions) == 1:
            return self._product(*contributions[0])
        terms = [self._product(*pair) for pair in contributions]
        return self.graph.add(ops.sum if len(terms) > 2 else ops.add, *terms)

    def _product(self, upstream: int, local: int) -> int:
        graph = self.graph
        if upstream == self.one:
            return local
        if local == self.one:
            return upstream
        if local == self.minus_one:
            return graph.add(ops.neg, upstream)
        return plain(graph, ops.mul, (upstream, local))


def _depth_first(graph: Graph, root: int) -> list[int]:
    """The nodes below `root` in the order of the eager engine: depth first, operands before results."""
    order: list[int] = []
    entered, done = set(), set()
    path = [root]
    while path:
        node = path[-1]
        if node not in entered and graph.operands[node]:
            entered.add(node)
            path.extend(reversed(graph.operands[node]))
        else:
            path.pop()
            if node not in done:
                done.add(node)
                order.append(node)
    return order
