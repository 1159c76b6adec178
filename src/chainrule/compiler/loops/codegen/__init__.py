"""Code generation: a program of statements becomes native code."""
