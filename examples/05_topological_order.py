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


def gradient_in(make_order):
    x, z = diamond()
    order = make_order(z)
    backward_in(order, z)
    return x.grad, [node.label for node in order if node.label]


def main():
    exact = 3 * 2 * 2.0 + 4 * 2.0**3  # z = 3x² + x⁴, so dz/dx = 6x + 4x³
    results = {
        "reversed topological": gradient_in(lambda z: reversed(topological_order(z)))[0],
        "breadth first": gradient_in(breadth_first)[0],
        "depth first": gradient_in(depth_first)[0],
    }
    print(f"z = 3y + y², y = x², at x = 2; exactly, dz/dx = 6x + 4x³ = {exact}")
    for name, slope in results.items():
        print(f"  {name:21} dz/dx = {slope:5.1f}   {'right' if slope == exact else 'wrong'}")
    print("\nDepth first reached x through y² before 3y had handed y its share:")
    print("  its order was", " → ".join(gradient_in(depth_first)[1]))
    print("Breadth first was lucky here. Where one of the two ways is longer than the other, it is not:")
    unlucky = longer_way()
    print(f"  z = y + (y² + 1), y = x²: breadth first gives {unlucky[0]}, exactly it is {unlucky[1]}")
    return exact, results, unlucky


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


if __name__ == "__main__":
    main()
