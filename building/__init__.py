"""What `setup.py` does before the C compiler runs: the table of operations becomes Cython code."""
