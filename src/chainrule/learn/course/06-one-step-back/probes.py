def _step(y):
    """One step back from a result: its own _backward(), or its local gradients times what arrived."""
    if hasattr(y, "_local_grads"):
        for child, local in zip(y._children, y._local_grads):
            child.grad += local * y.grad
    else:
        y._backward()


def of_a_product(my):
    """grads of a, b and y after one step back from y = a * b, with a = 2, b = -3, y.grad = 5"""
    a, b = my.Value(2.0), my.Value(-3.0)
    y = a * b
    y.grad = 5.0
    _step(y)
    return [a.grad, b.grad, y.grad]


def of_a_sum(my):
    """grads of a and b after one step back from y = a + b, with y.grad = 5"""
    a, b = my.Value(2.0), my.Value(-3.0)
    y = a + b
    y.grad = 5.0
    _step(y)
    return [a.grad, b.grad]


def adds_to_what_is_there(my):
    """grad of a, which is 100 before, after one step back from a * b and one from a + b, each with a grad of 1"""
    a, b = my.Value(2.0), my.Value(-3.0)
    a.grad = 100.0
    for y in (a * b, a + b):
        y.grad = 1.0
        _step(y)
    return a.grad


def of_a_leaf(my):
    """grad of a leaf after one step back from it"""
    a = my.Value(2.0)
    a.grad = 3.0
    _step(a)
    return a.grad
