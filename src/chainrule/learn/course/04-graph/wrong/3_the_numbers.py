"""The plain numbers are kept, not the Values. Gradients must find the way back to the boxes: keep (self, other)."""


class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._op = _op

    def __add__(self, other):
        return Value(self.data + other.data, (self.data, other.data), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self.data, other.data), "*")
