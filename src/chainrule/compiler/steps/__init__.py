"""Training steps: loss, gradients and update, many of them in one native call."""
