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
