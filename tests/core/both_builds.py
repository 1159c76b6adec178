"""A program that tests run on each build of the engine: prints all that it calculates, to the bit.

Every operation of the table at its sample points and at special values (number, local derivatives, gradients), and
graphs drawn at random (every number and gradient), in hexadecimal, one line each.
"""

import itertools
import math
import random
import sys
from math import inf, nan

import chainrule
from chainrule import Value, ops, topological_order
from chainrule.core.operation import TABLE

SPECIAL = [0.0, -0.0, 5e-324, -1e-300, 1e-9, -1e-9, 0.5, 1.0, -1.0, 2.0, 3.0, -2.5, 30.0, -30.0, 709.9, -750.0]
SPECIAL += [1e300, -1e300, inf, -inf, nan]
FEWER = [0.0, -0.0, 0.5, -1.0, 2.0, 1e300, inf, -inf, nan]


@chainrule.operation(local=[lambda a, b, y: ops.cos(a) * b, None], samples=[(0.3, 2.0)])
def own(a, b):
    """An operation of a user's own: there is no C code for it."""
    return ops.sin(a) * b if b > 0 else ops.sin(a)


def bits(x):
    return "none" if x is None else "nan" if math.isnan(x) else float(x).hex()


def points(op):
    """Where an operation is looked at."""
    if op.operand_names is None:
        rng = random.Random(op.name)
        rows = [[rng.choice(SPECIAL) for _ in range(rng.choice([1, 3, 5, 7]))] for _ in range(200)]
        return [*op.samples, *map(tuple, rows)]
    values = SPECIAL if len(op.operand_names) < 3 else FEWER
    return [*op.samples, *itertools.product(values, repeat=len(op.operand_names))]


def operations():
    for op in TABLE.values():
        for point in points(op):
            operands = [Value(x) for x in point]
            y = op.on(operands)
            y.backward(1.5)
            yield op.name, point, [y.data, *y.locals, *[operand.grad for operand in operands], op.on(point)]


def graphs(count, size):
    """Random graphs: every operation, constants, leaves that are shared, now and then a new leaf."""
    table = [op for op in TABLE.values() if not op.takes_lists]
    for seed in range(count):
        rng = random.Random(seed)
        nodes = [Value(rng.uniform(-2, 2)) for _ in range(4)]
        for _ in range(size):
            if rng.random() < 0.1:
                nodes.append(ops.weighted_sum(rng.choices(nodes, k=5), rng.choices(nodes, k=5), rng.choice(nodes)))
            elif rng.random() < 0.1:
                nodes.append(ops.sum(rng.choices([*nodes[-8:], 2.0], k=9)))
            else:
                op = rng.choice(table)
                operands = [rng.choice(nodes[-12:]) for _ in op.operand_names]
                operands[0] = rng.choice([operands[0], operands[0], rng.uniform(-2, 2)])
                nodes.append(op.on([*operands[:-1], rng.choice(nodes)]))
        root = ops.sum([ops.tanh(node) for node in nodes])
        root.backward()
        first = [bit for node in topological_order(root) for bit in (node.data, node.peek_grad())]
        nodes[0].data = 0.25
        root.refresh().backward()
        yield "graph", seed, [*first, *[node.peek_grad() for node in topological_order(root)]]


if __name__ == "__main__":
    print("compiled" if chainrule.engine.is_compiled() else "pure")
    for name, point, numbers in itertools.chain(operations(), graphs(int(sys.argv[1]), 60)):
        print(name, point, *map(bits, numbers))
