def _slopes(my, f):
    """The number of f(a, b) and its gradients in a = 4 and b = -0.5."""
    a, b = my.Value(4.0), my.Value(-0.5)
    y = f(a, b)
    y.backward()
    return [y.data, a.grad, b.grad]


def numbers_on_both_sides(my):
    """2 * a + 1, and 1 + a * 2"""
    return [_slopes(my, lambda a, b: 2 * a + 1), _slopes(my, lambda a, b: 1 + a * 2)]


def differences(my):
    """a - b, 1 - a, a - 1 and -a"""
    formulas = (lambda a, b: a - b, lambda a, b: 1 - a, lambda a, b: a - 1, lambda a, b: -a)
    return [_slopes(my, f) for f in formulas]


def powers(my):
    """a ** 3, and a ** 0.5"""
    return [_slopes(my, lambda a, b: a**3), _slopes(my, lambda a, b: a**0.5)]


def quotients(my):
    """a / b, 2 / a and a / 2"""
    return [_slopes(my, f) for f in (lambda a, b: a / b, lambda a, b: 2 / a, lambda a, b: a / 2)]
