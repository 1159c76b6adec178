"""This goes through the graph level by level. An operand that is used on two levels does its step on the first of
them. Append a Value after its operands, once they are closed."""


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
        from collections import deque

        order, seen, todo = [], {id(self)}, deque([self])
        while todo:
            v = todo.popleft()
            order.append(v)
            for child in v._children:
                if id(child) not in seen:
                    seen.add(id(child))
                    todo.append(child)
        self.grad = 1.0
        for v in order:
            v._backward()
