def slopes(f, xs, h):
    y = f(xs)
    return [(f(xs[:i] + [xs[i] + h] + xs[i + 1 :]) - y) / h for i in range(len(xs))]
