"""Backpropagation by hand: the chain rule, one node at a time.

    L = d * f      d = e + c      e = a * b

How does L change when a changes? a acts on e, e on d, d on L. The chain rule says to multiply along the way:

    dL/da = dL/dd · dd/de · de/da

Read from the right end of the expression to the left, each node needs two numbers only: the derivative of L with
respect to its result, which came from further back (upstream), and its own local derivatives, which it knows without
seeing the rest. Upstream × local is what it passes on. Nobody ever needs to see the whole expression.
"""

from chainrule import Value


def by_hand():
    """Every derivative of L, with nothing but multiplication."""
    a, b, c, f = 2.0, -3.0, 10.0, -2.0
    e = a * b
    d = e + c

    loss = 1.0  # L with respect to itself: nudge it, and it moves just as far
    dd = loss * f  # a product's local derivative is the other factor
    df = loss * d
    de = dd * 1.0  # a sum hands on what it gets, to both sides
    dc = dd * 1.0
    da = de * b
    db = de * a
    return {"L": loss, "d": dd, "f": df, "e": de, "c": dc, "a": da, "b": db}


def by_machine():
    """The same by `backward()`."""
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    d = e + c
    result = d * f
    result.backward()
    return {"L": result.grad, "d": d.grad, "f": f.grad, "e": e.grad, "c": c.grad, "a": a.grad, "b": b.grad}


def by_nudging(h=1e-6):
    """The same by nudging, to see that the rule is right and not only consistent."""

    def loss(a=2.0, b=-3.0, c=10.0, f=-2.0):
        return (a * b + c) * f

    at = {"a": 2.0, "b": -3.0, "c": 10.0, "f": -2.0}
    return {name: (loss(**{name: x + h}) - loss(**{name: x - h})) / (2 * h) for name, x in at.items()}


def one_step(rate=0.01):
    """What gradients are for: each input goes a little way along its gradient, and L goes up."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    before = (a * b + c) * f
    before.backward()
    for x in (a, b, c, f):
        x.data += rate * x.grad
    after = (a * b + c) * f
    return before.data, after.data


def main():
    hand, machine, nudged = by_hand(), by_machine(), by_nudging()
    print("derivative of L with respect to …   by hand   backward()   by nudging")
    for name in hand:
        nudge = f"{nudged[name]:10.4f}" if name in nudged else "         –"
        print(f"  {name}                              {hand[name]:9.4f}   {machine[name]:10.4f}   {nudge}")
    before, after = one_step()
    print(f"\nA step of 0.01 along the gradients takes L from {before:.4f} to {after:.4f}: up, as it should.")
    return hand, machine, nudged, (before, after)


if __name__ == "__main__":
    main()
