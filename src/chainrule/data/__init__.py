"""Training data: toy sets in two dimensions, CSV files as tables, and the split into training and held-out rows."""

from chainrule.data.toy import TOY_SETS, XOR_POINTS, circles, moons, spiral, split, split_indices, toy_set, xor

__all__ = ["TOY_SETS", "XOR_POINTS", "circles", "moons", "spiral", "split", "split_indices", "toy_set", "xor"]
