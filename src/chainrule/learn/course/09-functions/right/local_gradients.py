import math


class Value:
    def __init__(self, data, _children=(), _local_grads=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._local_grads = _local_grads
        self._op = _op

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), (1.0, 1.0), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data), "*")

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,), "tanh")

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,), "exp")

    def relu(self):
        return Value(max(0.0, self.data), (self,), (1.0 if self.data > 0 else 0.0,), "ReLU")

    def backward(self):
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            v, is_done = todo.pop()
            if is_done:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                todo.append((v, True))
                todo.extend((child, False) for child in v._children)
        self.grad = 1.0
        for v in reversed(order):
            for child, local in zip(v._children, v._local_grads):
                child.grad += local * v.grad
