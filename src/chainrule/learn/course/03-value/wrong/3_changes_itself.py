"""a + b changes a itself. The operands must stay as they are: make a new Value for the result."""


class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        self.data += other.data
        return self

    def __mul__(self, other):
        self.data *= other.data
        return self
