"""The stand-in for the module `cython` when Python runs `engine.py` and its like as plain files."""

compiled = False
