derivative = lambda f, x, h: (f(x + h) - f(x)) / h
