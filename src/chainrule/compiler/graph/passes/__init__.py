"""Passes: named functions from a graph to another graph that calculates the same."""
