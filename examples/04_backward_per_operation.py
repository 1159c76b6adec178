"""Backward per operation: each operation knows its local derivatives, and that is enough.

An operation has two jobs: to calculate its result, and to say how the result moves when one operand moves. The second
is its local derivative. Backpropagation is then the same for all of them:

    operand.grad += local derivative × result.grad

The += matters: a number that is used twice gets a contribution from each use. This file calls that one step by hand
on every node of a neuron, prints the rules of chainrule's table, and adds an operation that chainrule does not have.
"""

import chainrule
from chainrule import Value, check_gradients, ops
from chainrule.explain.notation import formula


def rules(names=("add", "mul", "pow", "exp", "tanh", "relu")):
    """The local derivatives of some operations, as the table has them; y is the operation's result."""
    lines = []
    for name in names:
        op = getattr(ops, name)
        derivatives = [f"d/d{operand} = {formula(op, i)}" for i, operand in enumerate(op.operand_names)]
        lines.append(f"  {name:5} {', '.join(derivatives)}")
    return lines


def node_by_node():
    """A neuron, backwards, with one `_backward()` a node: what `backward()` does in a loop."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    both = x1w1 + x2w2
    n = both + b
    o = n.tanh()

    o.grad = 1.0
    for node in (o, n, both, x1w1, x2w2):  # from the result back; each has its whole gradient when its turn comes
        node._backward()
    return {v.label: v.grad for v in (x1, w1, x2, w2, b)}


@chainrule.operation(local=lambda x, y: -y * y, symbol="1/x", samples=[(0.5,), (-3.0,)])
def reciprocal(x):
    """1/x; its derivative is -1/x², which is -y·y."""
    return 1 / x


def own_operation():
    """It works in graphs and to higher orders at once, and can be checked against nudging."""
    v = Value(4.0)
    (reciprocal(v) * 2).backward()
    second = chainrule.grad(chainrule.grad(reciprocal))(4.0)
    report = check_gradients(lambda x: reciprocal(x) * x * x, [4.0])
    return v.grad, second, report


def main():
    print("Some rules, from the table:", *rules(), sep="\n")
    gradients = node_by_node()
    print("\nA neuron, node by node:", ", ".join(f"d{name} = {g:.4f}" for name, g in gradients.items()))
    first, second, report = own_operation()
    print(f"\nAn operation of our own: at 4, the derivative of 2/x is {first}, the second derivative of 1/x {second}")
    print(report)
    return gradients, first, second, report


if __name__ == "__main__":
    main()
