"""The text of an operation, read once: a small tree that the writers of C and of LLVM's assembly walk over.

`source.py` finds the text, of a function at hand or of a file of the table; `reader.py` makes the tree of `tree.py` of
it; `text.py` writes a tree as Python again; `functions.py` says what each function of `math` is elsewhere. All this
needs the standard library alone, since the build imports it before anything is compiled.
"""
