"""A Value counts as visited when it is put on the list, and not when it is opened. So it may be closed too late,
after a result that needs it lower down. Mark it when it is taken from the list."""


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
        order, seen, todo = [], {id(self)}, [(self, False)]
        while todo:
            v, is_done = todo.pop()
            if is_done:
                order.append(v)
                continue
            todo.append((v, True))
            for child in v._children:
                if id(child) not in seen:
                    seen.add(id(child))
                    todo.append((child, False))
        self.grad = 1.0
        for v in reversed(order):
            v._backward()
