"""What is run."""


def _names(my, y, **known):
    """The names of what a Value was made of, and its operation."""
    children = getattr(y, "_children", None)
    found = [next((n for n, v in known.items() if v is child), "another") for child in children]
    return [type(children).__name__, found, y._op]


def of_a_leaf(my):
    """_children and _op of Value(2.0)"""
    return _names(my, my.Value(2.0))


def down_to_the_leaves(my):
    """the graph of (a + b) * a, from its result to the leaves, and its number"""
    a, b = my.Value(2.0), my.Value(-3.0)

    def told(v):
        if v is a or v is b:
            return "a" if v is a else "b"
        parts = [told(child) for child in v._children]
        return [v._op, *(parts if isinstance(v._children, tuple) else sorted(parts, key=str))]

    y = (a + b) * a
    return [told(y), y.data]
