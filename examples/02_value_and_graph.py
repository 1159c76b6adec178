"""The Value object: a number that remembers how it was made.

A float forgets. After `d = a*b + c` Python keeps the result and nothing of the way to it. To find out later how d
depends on a, something must remember the way. A Value does: it holds

    data       the number
    operands   the Values that it was made of
    op         the operation that made it
    grad       a place for the derivative of some final result with respect to it: 0 until somebody fills it in

So an expression leaves behind a graph. Nothing in it ever points back to what came later, which is why the graph has
no cycles and can be walked from the result to the inputs.
"""

from chainrule import Value, draw, topological_order


def build():
    """The expression of the lecture: L = (a*b + c) * f."""
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    e.label = "e"
    d = e + c
    d.label = "d"
    result = d * f
    result.label = "L"
    return result


def how_it_was_made(node):
    """What one node remembers, in words."""
    if node.op is None:
        return f"{node.label} = {node.data:g}, an input"
    operands = f" {node.op.symbol} ".join(operand.label for operand in node.operands)
    return f"{node.label} = {operands} = {node.data:g}"


def main():
    result = build()
    print("Every node, operands before the results made of them:")
    lines = [how_it_was_made(node) for node in topological_order(result)]
    print(*["  " + line for line in lines], sep="\n")
    print("\nThe same as a tree, with a local derivative at each operand, which the next two lessons explain:")
    print(draw(result))
    return lines


if __name__ == "__main__":
    main()
