"""Finding loops: the nodes of a graph that do the same become statements in loops."""
