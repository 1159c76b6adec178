"""a + b gives a plain number: it must be a Value again, so that one can go on calculating with it, and so that it can have a
gradient. Return Value(self.data + other.data)."""


class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        return self.data + other.data

    def __mul__(self, other):
        return self.data * other.data
