"""The result is of another class: calculate with a Value and get a Value, so that everything that a Value can do, a result
can do as well."""


class Result:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        return Result(self.data + other.data)

    def __mul__(self, other):
        return Result(self.data * other.data)


class Value(Result):
    pass
