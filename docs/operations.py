"""Writes docs/operations.md from the table of operations: python docs/operations.py

The tests check that the page is what this program writes, so it cannot fall behind the table.
"""

from __future__ import annotations

from pathlib import Path

from chainrule import ops
from chainrule.core.operation import TABLE, Operation
from chainrule.explain.notation import call, formula

PAGE = Path(__file__).with_name("operations.md")

INTRODUCTION = """# Operations

Every operation of chainrule, with its local derivative in each operand; *y* is the operation's own result. This page is
written by `python docs/operations.py` from the table in `src/chainrule/ops/`, where each operation stands once.

Each can be called as a function, `chainrule.exp(x)`, on numbers or Values, and, unless it takes a list, as a method,
`x.exp()`. Arithmetic follows IEEE 754: nothing here raises on a real number.

| name | written | drawn as | what it is | local derivatives |
|---|---|---|---|---|
"""

MANY = ["x₁", "x₂", "x₃"]
"""What the operands of an operation of any number of them are called here, but for those with names of their own."""

NAMED = {
    ops.weighted_sum: ["b", "w₁", "x₁", "w₂", "x₂"],
    ops.take: ["i", "x₁", "x₂", "x₃"],
    ops.var: ["m", "x₁", "x₂", "x₃"],
}


def page() -> str:
    """The whole page as Markdown."""
    built_in = [op for op in TABLE.values() if op.built_in]
    return INTRODUCTION + "".join([row(op) for op in built_in])


def row(op: Operation) -> str:
    """One operation's line of the table."""
    names = list(op.operand_names or NAMED.get(op, MANY))
    derivatives = [f"∂y/∂{name} = `{formula(op, i, names)}`" for i, name in enumerate(names)]
    summary = (op.__doc__ or "").partition("\n")[0]
    cells = [f"`{op.name}`", f"`{call(op, names)}`", f"`{op.symbol}`", summary, "<br>".join(derivatives)]
    return "| " + " | ".join([cell.replace("|", "\\|") for cell in cells]) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(TABLE)} operations")
