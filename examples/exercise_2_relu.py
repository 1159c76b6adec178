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
    """What the chain rule says."""
    v = Value(x)
    operation(v).backward()
    return v.grad


def nudged(operation, x, h=1e-12):
    """What nudging says, to the left and to the right; h is far smaller than the distance of any point to the kink."""
    y = operation(x)
    return (y - operation(x - h)) / h, (operation(x + h) - y) / h


def main():
    points = [-2.0, -1e-9, 0.0, 1e-9, 3.0]
    rows = [(slope(my_relu, x), slope(chainrule.relu, x)) for x in points]
    sides = [nudged(my_relu, x) for x in points]
    print("       x   my_relu'   relu'   nudged left   nudged right")
    for x, (mine, built_in), (left, right) in zip(points, rows, sides, strict=True):
        print(f"{x:8g}   {mine:8g}   {built_in:5g}   {left:11.3f}   {right:12.3f}")
    print("\nOnly at 0 do the two sides differ. The check sees it, too, and calls it a kink and not a mistake:\n")
    reports = {x: check_gradients(my_relu, [x]) for x in (-2.0, 0.0, 3.0)}
    print(reports[0.0])
    return rows, sides, reports


if __name__ == "__main__":
    main()
