"""Functions of mathematics for vectors: exp, log, sin and the like, as instructions."""
