"""Exercise 2: ReLU, max(0, x), and what to do at its kink.

Left of 0 the slope is 0, right of it 1, and at 0 there is none: nudging to the left and to the right disagree. Any
number between the two would do as a convention; 0 is the one that everybody uses. The local derivative is written as
a comparison and not as an `if`, because a comparison is an operation, too: it can be drawn, recomputed and compiled.
"""

import chainrule
from chainrule import Value, check_gradients


@chainrule.operation(local=lambda x, y: x > 0, samples=[(-2.0,), (3.0,)])
def my_relu(x):
    """max(0, x)."""
    return 0.0 if x <= 0 else x  # this way round, nan stays nan and is not hidden as a 0


def slope(operation, x):
    v = Value(x)
    operation(v).backward()
    return v.grad


def main():
    points = [-2.0, -1e-9, 0.0, 1e-9, 3.0]
    mine = [slope(my_relu, x) for x in points]
    built_in = [slope(chainrule.relu, x) for x in points]
    print("x         my_relu'   relu'")
    for x, a, b in zip(points, mine, built_in, strict=True):
        print(f"{x:8g}   {a:7g}   {b:5g}")
    print()
    reports = {x: check_gradients(my_relu, [x]) for x in (-2.0, 0.0, 3.0)}
    print(reports[0.0])
    return mine, built_in, reports


if __name__ == "__main__":
    main()
