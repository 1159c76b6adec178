def _both(my, name, x):
    """The number of a function of x, and the gradient of 3 times it."""
    v = my.Value(x)
    y = getattr(v, name)()
    (y * my.Value(3.0)).backward()
    return [y.data, v.grad, v.data]


def of_tanh(my):
    """tanh of 0.5, and the gradient of 3 * tanh(x) there"""
    return _both(my, "tanh", 0.5)


def of_exp(my):
    """exp of 2, and the gradient of 3 * exp(x) there"""
    return _both(my, "exp", 2.0)


def of_relu(my):
    """ReLU of 4, of -4 and of 0, and the gradients of 3 * ReLU(x) there"""
    return [_both(my, "relu", x) for x in (4.0, -4.0, 0.0)]


def twice(my):
    """the gradient of exp(x) * ReLU(x) at 1: x is used twice"""
    v = my.Value(1.0)
    (v.exp() * v.relu()).backward()
    return v.grad
