"""What the name `cython` stands for in `engine.py` when Python runs the file itself."""

compiled = False
