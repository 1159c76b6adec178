"""How a node keeps its operands and takes its number: in plain Python, and in C for the compiled engine."""
