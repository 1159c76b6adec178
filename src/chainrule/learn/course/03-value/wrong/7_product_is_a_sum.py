"""a * b gives the sum: the sign in __mul__ is + where * is meant."""


class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        return Value(self.data + other.data)

    def __mul__(self, other):
        return Value(self.data + other.data)
