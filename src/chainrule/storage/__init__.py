"""The storage of nodes, with their operands and numbers: in plain Python, and in C for the compiled engine."""
