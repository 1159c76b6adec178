"""Functions that several tests compile."""


def root(a):
    """The square root by Newton's method, to a tolerance that float32 cannot reach."""
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = (x + a / x) / 2
    return x
