from dataclasses import dataclass


@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0

    def __add__(self, other):
        return Value(self.data + other.data)

    def __mul__(self, other):
        return Value(self.data * other.data)
