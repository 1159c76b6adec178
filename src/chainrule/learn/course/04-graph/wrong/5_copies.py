"""New Values are kept, with the same numbers as the operands, but not the operands themselves. A gradient that is
sent back would reach the copies: keep (self, other)."""


class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._op = _op

    def __add__(self, other):
        return Value(self.data + other.data, (Value(self.data), Value(other.data)), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (Value(self.data), Value(other.data)), "*")
