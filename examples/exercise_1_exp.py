"""Exercise 1: an operation for eˣ, forward and backward, checked against nudging.

The derivative of eˣ is eˣ: the slope is the value itself. So the local derivative needs no calculation at all, only
the result y that is there already. chainrule has `exp`; here it is made again from nothing, as one would make any
other.
"""

import math

import chainrule
from chainrule import Value, check_gradients


@chainrule.operation(local=lambda x, y: y, samples=[(-1.0,), (0.0,), (2.0,)])
def my_exp(x):
    """e to the x."""
    return math.exp(x)


def main():
    a = Value(2.0, label="a")
    b = a.my_exp()
    b.backward()
    print(f"e² = {b.data}, its derivative {a.grad}, exactly {math.exp(2.0)}")

    report = check_gradients(lambda x: my_exp(x) * x, [2.0])
    print(report)

    tenth = my_exp
    for _ in range(10):
        tenth = chainrule.grad(tenth)
    print(f"The tenth derivative at 2 is the same number again: {tenth(2.0)}")
    return a.grad, report, tenth(2.0), chainrule.exp(2.0)


if __name__ == "__main__":
    main()
