"""Rolls repeated nodes of a graph back into loops over arrays, and compiles these to native code."""
