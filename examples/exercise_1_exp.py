"""Exercise 1: an operation for eˣ, forward and backward, checked against nudging.

The derivative of eˣ is eˣ: the slope is the value itself. So the local derivative needs no calculation at all, only
the result y that is there already. chainrule has `exp`; here it is made again from nothing, as one would make any
other.

A check is worth something only if it can fail. So here is a second attempt, too, with the mistake that a table of
derivatives learned in a hurry leads to: the rule for xⁿ, used on eˣ.
"""

import math

import chainrule
from chainrule import Value, check_gradients


@chainrule.operation(local=lambda x, y: y, samples=[(-1.0,), (0.0,), (2.0,)])
def my_exp(x):
    """e to the x."""
    return math.exp(x)


@chainrule.operation(local=lambda x, y: x * y / math.e)
def hasty_exp(x):
    """e to the x, with a wrong local derivative: x·eˣ⁻¹, as if x were the base and not the exponent."""
    return math.exp(x)


def tenth_derivative(f, x):
    """Since the local derivative is written in the table's operations, it can itself be differentiated."""
    for _ in range(10):
        f = chainrule.grad(f)
    return f(x)


def main():
    a = Value(2.0, label="a")
    b = a.my_exp()
    b.backward()
    print(f"e² = {b.data}, its derivative {a.grad}, exactly {math.exp(2.0)}")
    tenth = tenth_derivative(my_exp, 2.0)
    print(f"The tenth derivative at 2 is the same number again: {tenth}\n")

    good = check_gradients(lambda x: my_exp(x) * x, [2.0])
    print(good)
    bad = check_gradients(lambda x: hasty_exp(x) * x, [2.0], order=1)
    print("\nAnd the hasty one, whose forward pass is just as good:\n", bad, sep="\n")
    return a.grad, tenth, good, bad


if __name__ == "__main__":
    main()
