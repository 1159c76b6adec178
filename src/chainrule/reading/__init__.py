"""Reads the text of an operation once into a small syntax tree, from which C and LLVM's assembly are generated.

`source.py` finds the text of a function, or the texts in a file of the table; `reader.py` turns one into a tree of
`tree.py`; `text.py` writes a tree as Python again; `functions.py` says how each function of `math` is called in the
other languages. All of this needs only the standard library, since the build imports it before anything is compiled.
"""
