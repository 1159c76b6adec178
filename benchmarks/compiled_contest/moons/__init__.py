"""A step of training of the micrograd demo: MLP(2, [16, 16, 1]), 100 points, max margin and L2, gradient descent."""
