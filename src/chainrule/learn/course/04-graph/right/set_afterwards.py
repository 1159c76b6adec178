class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
        self._children, self._op = (), ""

    def __add__(self, other):
        out = Value(self.data + other.data)
        out._children, out._op = (self, other), "+"
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data)
        out._children, out._op = (self, other), "*"
        return out
