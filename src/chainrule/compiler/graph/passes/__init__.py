"""Passes: each takes a graph and gives a graph that calculates the same, and has a name to be printed by."""
