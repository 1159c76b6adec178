def derivative(f, x, h):
    before = f(x)
    after = f(x + h)
    return (after - before) / h
