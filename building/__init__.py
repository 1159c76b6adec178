"""The build step before the C compiler runs: `setup.py` turns the table of operations into Cython code."""
