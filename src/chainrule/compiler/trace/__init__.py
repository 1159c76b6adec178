"""The trace: what Python did in one run of a function, and the refusal of what no trace can hold."""
