"""Loops found again: the nodes of a graph that do the same become statements in loops, and these native code."""
