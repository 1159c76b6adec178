"""A step of training of examples/gpt.py: one name, loss, gradients, Adam."""
