"""The grad of a new Value is None. It will be added to, so it must be a number: begin with 0.0."""


class Value:
    def __init__(self, data):
        self.data, self.grad = data, None

    def __add__(self, other):
        return Value(self.data + other.data)

    def __mul__(self, other):
        return Value(self.data * other.data)
