"""Loop rerolling: repeated nodes of a graph become statements in loops."""
