"""Exercise 4: print the graph, with operation and gradient at each node.

A dozen lines are enough for a tree of one's own: a node, then its operands, indented. The one trap is a node that is
used twice. It must not be printed twice with all that is below it, or a graph of twenty doublings fills a million
lines. Nodes are told apart by identity, since two different nodes may well hold equal numbers.
"""

from chainrule import Value, draw


def lines_of(root):
    """One line a node; one that was printed already is only mentioned."""
    lines, seen, stack = [], set(), [(root, 0)]
    while stack:
        node, depth = stack.pop()
        name = node.label or (node.op.name if node.op else "number")
        known = id(node) in seen
        seen.add(id(node))
        operation = f"[{node.op.symbol}] " if node.op else ""
        numbers = "(above)" if known else f"data {node.data:.4f}, grad {node.grad:.4f}"
        lines.append(f"{'    ' * depth}{operation}{name}: {numbers}")
        if not known:
            stack += [(operand, depth + 1) for operand in reversed(node.operands)]
    return lines


def doublings(count):
    """x + x, the sum of that with itself, and so on: few nodes, but 2 to the count ways to x."""
    x = node = Value(1.0, label="x")
    for _ in range(count):
        node = node + node
    node.backward()
    return x, node


def main():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    shared = a * b
    shared.label = "ab"
    result = (shared + a) * shared
    result.backward()
    own = lines_of(result)
    print("By hand:", *own, sep="\n")
    print("\nBy chainrule.draw, with the local derivatives; draw(result).save('graph.svg') makes a picture:")
    print(draw(result))
    x, top = doublings(20)
    print(f"\nTwenty doublings: {len(lines_of(top))} lines, and x.grad = {x.grad:.0f}")
    return own, len(lines_of(top)), x.grad


if __name__ == "__main__":
    main()
