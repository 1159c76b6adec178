"""Lowering: what each operation of the table is in LLVM's instructions."""
