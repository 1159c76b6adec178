"""What is run."""


def downhill(my):
    """derivative of 10 - 2 * x at 5, with h = 0.5"""
    return my.derivative(lambda x: 10 - 2 * x, 5.0, 0.5)


def with_a_large_nudge(my):
    """derivative of x * x at 3, with h = 2: a large nudge, so that it shows what is divided by"""
    return my.derivative(lambda x: x * x, 3.0, 2.0)
