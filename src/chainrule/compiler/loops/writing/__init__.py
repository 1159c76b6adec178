"""Writing loops: a program of statements becomes native code."""
