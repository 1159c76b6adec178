class Value:
    def __init__(self, data):
        raise NotImplementedError("Value keeps nothing yet: set self.data and self.grad here")
