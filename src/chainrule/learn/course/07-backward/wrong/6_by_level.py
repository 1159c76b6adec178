"""It goes back level by level. A Value that is used on two levels does its step on the first, before the rest has
arrived. An operand has to wait for all results that it is used in: make the order first."""


class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._op = _op
        self._backward = lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def backward(self):
        self.grad = 1.0
        level, seen = [self], set()
        while level:
            following = []
            for v in level:
                if id(v) not in seen:
                    seen.add(id(v))
                    v._backward()
                    following += v._children
            level = following
