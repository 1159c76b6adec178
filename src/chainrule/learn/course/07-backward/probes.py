def of_a_diamond(my):
    """grads of a and d after y.backward(), with d = a * a, b = d + a, c = d * b, y = c + d, a = 3"""
    a = my.Value(3.0)
    d = a * a
    b = d + a
    c = d * b
    y = c + d
    y.backward()
    return [a.grad, d.grad]


def of_two_ways(my):
    """grads of a and d after y.backward(), with d = a * a, y = (d * a) * a * d, a = 2"""
    a = my.Value(2.0)
    d = a * a
    y = (d * a) * a * d
    y.backward()
    return [a.grad, d.grad]
