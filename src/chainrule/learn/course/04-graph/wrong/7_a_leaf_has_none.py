"""A leaf has None where its operands stand. It was made of nothing, so let that be an empty tuple, (): then whoever
goes through the operands needs no special case."""


class Value:
    def __init__(self, data, _children=None, _op=""):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._op = _op

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*")
