def slopes(f, xs, h):
    before, found = f(xs), []
    for i, x in enumerate(xs):
        xs[i] = x + h
        found.append((f(xs) - before) / h)
        xs[i] = x
    return found
