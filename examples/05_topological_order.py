"""Topological order: a node may pass its gradient on only when all of it has arrived.

When a number is used twice, its gradient comes in two parts. If it hands on upstream × local after the first part
only, everything before it gets too little. So a node must wait until every node that used it has had its turn. An
order in which operands come before results, walked backwards, guarantees that; finding one is called topological
sorting.

The smallest graph on which a wrong order shows is a diamond: one number, two ways, one result.
"""

from chainrule import Value, topological_order


def diamond():
    """x → y = x*x, and then two ways from y to the result: z = 3*y + y*y."""
    x = Value(2.0, "x")
    y = x * x
    y.label = "y"
    left, right = 3 * y, y * y
    left.label, right.label = "3y", "y²"
    z = left + right
    z.label = "z"
    return x, z


def backward_in(order, root):
    """Backpropagation in a given order of nodes, right or wrong."""
    root.grad = 1.0
    for node in order:
        node._backward()


def breadth_first(root):
    """A tempting order: the result, then its operands, then theirs, each node when it is first seen."""
    order, seen, queue = [], set(), [root]
    while queue:
        node = queue.pop(0)
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
            queue += node.operands
    return order


def depth_first(root):
    """Another one: follow each way to its end before the next is begun."""
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
            stack += node.operands
    return order


def topological(root):
    """The right one: nobody passes on anything before all who owe it have paid."""
    return list(reversed(topological_order(root)))


def gradient_in(make_order):
    """dz/dx on the diamond, and the labels of its nodes in the order of their turns."""
    x, z = diamond()
    order = make_order(z)
    backward_in(order, z)
    return x.grad, [node.label for node in order if node.label]


def longer_way():
    """y directly, and y through two more operations: breadth first takes y's turn too early."""
    x = Value(2.0)
    y = x * x
    z = y + (y * y + 1)
    backward_in(breadth_first(z), z)
    wrong = x.grad
    z.zero_grad()
    z.backward()
    return wrong, x.grad


def main():
    exact = 6 * 2.0 + 4 * 2.0**3  # z = 3x² + x⁴
    found = {make.__name__: gradient_in(make) for make in (topological, breadth_first, depth_first)}
    print(f"z = 3y + y², y = x², at x = 2; exactly, dz/dx = 6x + 4x³ = {exact}")
    for name, (slope, turns) in found.items():
        verdict = "right" if slope == exact else "wrong"
        print(f"  {name:13}  dz/dx = {slope:4.1f}, {verdict}   {' → '.join(turns)}")
    print("\nDepth first gave y its turn before 3y had paid: what 3y owed, 3 · 2x = 12, never came to x.")
    print("Breadth first was lucky here. Where one of the two ways is longer than the other, it is not:")
    wrong, right = longer_way()
    print(f"  z = y + (y² + 1), y = x²: breadth first gives {wrong}, exactly it is {right}")
    return exact, {name: slope for name, (slope, _) in found.items()}, (wrong, right)


if __name__ == "__main__":
    main()
