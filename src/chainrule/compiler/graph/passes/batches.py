"""Sums over the samples of a batch: takes out what all samples share."""

from __future__ import annotations

from chainrule import ops
from chainrule.compiler.graph.graph import BATCH_SUM, Graph
from chainrule.compiler.graph.passes.rebuild import prune, rebuild
from chainrule.core.operation import Operation

SAMPLES = "number of samples"
"""The name of the input that says how many samples there are; graphs with batched inputs have it."""


def split_batch_sums(graph: Graph) -> Graph:
    """Splits sums over samples: Σ (a + u), where all samples share u, becomes (Σ a) + n · u.

    >>> from chainrule.compiler.graph.text import from_text, to_text
    >>> text = '''%0 = input x, batched
    ... %1 = input u
    ... %2 = input n
    ... %3 = add %0 %1
    ... %4 = batch_sum %3
    ... return %4'''
    >>> graph = from_text(text)
    >>> graph.names[2] = SAMPLES
    >>> print("\\n".join(to_text(split_batch_sums(graph)).splitlines()[3:]))
    %3 = batch_sum %0
    %4 = mul %2 %1
    %5 = add %3 %4
    return %5
    """
    if SAMPLES not in graph.names:
        return graph
    samples = graph.names.index(SAMPLES)
    varies: list[bool] = []

    def rule(new: Graph, op: Operation, operands: tuple[int, ...], _: int) -> int:
        if op is not BATCH_SUM:
            return new.add(op, *operands)
        while len(varies) < len(new):
            node = len(varies)
            above = new.operands[node]
            varies.append(node in new.batched or (new.ops[node] is not BATCH_SUM and any(varies[k] for k in above)))
        return _split(new, operands[0], varies, samples)

    return prune(rebuild(graph, rule))


def _split(new: Graph, node: int, varies: list[bool], samples: int) -> int:
    """The sum of a node over the samples."""
    if not varies[node]:
        return new.add(ops.mul, samples, node)
    op, operands = new.ops[node], new.operands[node]
    if op is ops.add or op is ops.sum:
        varying = [k for k in operands if varies[k]]
        uniform = [k for k in operands if not varies[k]]
        inner = varying[0] if len(varying) == 1 else node if not uniform else new.add(ops.sum, *varying)
        shared = None if not uniform else uniform[0] if len(uniform) == 1 else new.add(ops.sum, *uniform)
    elif op is ops.weighted_sum:
        bias, pairs = operands[0], list(zip(operands[1::2], operands[2::2], strict=True))
        varying_pairs = [pair for pair in pairs if varies[pair[0]] or varies[pair[1]]]
        uniform_pairs = [pair for pair in pairs if pair not in varying_pairs]
        if varies[bias] and varying_pairs:
            inner = new.add(ops.weighted_sum, bias, *[k for pair in varying_pairs for k in pair])
        elif varies[bias]:
            inner = bias
        else:
            inner = _products(new, new.constant(0.0), varying_pairs)
        shared = (
            None
            if varies[bias] and not uniform_pairs
            else _products(new, new.constant(0.0) if varies[bias] else bias, uniform_pairs)
        )
    else:
        return new.add(BATCH_SUM, node)
    total = new.add(BATCH_SUM, inner)
    if shared is None or (new.is_constant(shared) and new.numbers[shared] == 0):
        return total
    return new.add(ops.add, total, new.add(ops.mul, samples, shared))


def _products(new: Graph, bias: int, pairs: list[tuple[int, int]]) -> int:
    if not pairs:
        return bias
    if len(pairs) == 1 and new.is_constant(bias) and new.numbers[bias] == 0:
        return new.add(ops.mul, *pairs[0])
    return new.add(ops.weighted_sum, bias, *[k for pair in pairs for k in pair])
