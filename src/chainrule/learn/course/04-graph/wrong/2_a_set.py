"""A set keeps each number once: of a + a only one a is left, and an arrow is lost. Keep a tuple, in the order of the
operands."""


class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad = data, 0.0
        self._children, self._op = set(_children), _op

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*")
