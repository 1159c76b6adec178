"""Levelised execution of irregular graphs: one native function walks a table of segments of equal operations."""
