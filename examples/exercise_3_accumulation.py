"""Exercise 3: gradients accumulate, traced on y = a * a.

The product has two operands, and both are a. Its local derivative in the left one is the right one, a; in the right
one, the left one, a. So a gets a contribution of a twice, and its gradient is 2a. An engine that sets `a.grad = …` in
place of `a.grad += …` keeps only the last contribution and answers a: half the truth.
"""

from chainrule import Value, explain


def contributions(a):
    """What each edge of y = a * a brings to a."""
    y = a * a
    upstream = 1.0
    return [local * upstream for operand, local in zip(y.operands, y.locals, strict=True) if operand is a]


def overwriting(y):
    """Backpropagation with the bug: the contribution replaces what was there."""
    for operand, local in zip(y.operands, y.locals, strict=True):
        operand.grad = local * 1.0
    return y.operands[0].grad


def main(x=3.0):
    a = Value(x, label="a")
    parts = contributions(a)
    print(f"y = a * a at a = {x}: contributions {' and '.join(map(str, parts))}, together {sum(parts)}")
    y = a * a
    print(f"with = in place of +=, the gradient would be {overwriting(y)}")
    a.grad = 0.0
    y.backward()
    print(f"backward() says {a.grad}\n")
    print(explain(y))
    first = a.grad
    y.backward()
    print(f"\nA second backward() adds once more: {a.grad}. To start afresh, set a.grad to 0.")
    return parts, first, a.grad


if __name__ == "__main__":
    main()
