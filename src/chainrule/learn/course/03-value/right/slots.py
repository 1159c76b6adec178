class Value:
    __slots__ = ("data", "grad")

    def __init__(self, data):
        self.data, self.grad = float(data), 0.0

    def __add__(self, other):
        out = Value(self.data + other.data)
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data)
        return out
