def of_a_deep_chain(my):
    """grad of a after backward() of y = y * a + a, 3,000 times, with a = 0.5"""
    a = y = my.Value(0.5)
    for _ in range(3000):
        y = y * a + a
    y.backward()
    return a.grad


def of_two_ways(my):
    """grad of a after backward() of y = d + e, with b = a * a, c = b + b, d = b * c, e = c * d, a = 2"""
    a = my.Value(2.0)
    b = a * a
    c = b + b
    d = b * c
    e = c * d
    y = d + e
    y.backward()
    return a.grad


def of_many_ways(my):
    """grad of a after backward() of y = y + y, 40 times, with a = 1: there are 2 ** 40 ways from y to a"""
    a = y = my.Value(1.0)
    for _ in range(40):
        y = y + y
    y.backward()
    return a.grad
