"""What is run."""


def sums_and_products(my):
    """data of a + b, of a * b, and of a * b + a, for a = Value(2.5), b = Value(-3.0)"""
    a, b = my.Value(2.5), my.Value(-3.0)
    return [(a + b).data, (a * b).data, (a * b + a).data]


def results_are_values(my):
    """whether 1 + 2 of two Values is a Value, and its grad"""
    y = my.Value(1.0) + my.Value(2.0)
    return [isinstance(y, my.Value), getattr(y, "grad", f"the {type(y).__name__} has no grad")]
