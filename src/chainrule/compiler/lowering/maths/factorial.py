"""n!, from a table."""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic


def looked_up(e: Arithmetic, name: str, row: Sequence[float], n: ir.Value) -> ir.Value:
    """The entry of a row at a whole number n, in each lane; the first one where n is no place in the row."""
    builder, table = e.builder, e.table(name, row)
    within = builder.and_(e.compare(">=", n, e.constant(0.0)), e.compare("<=", n, e.constant(len(row) - 1)))
    places = builder.fptosi(e.where(within, n, e.constant(0.0)), e.integer)
    if e.lanes == 1:
        return builder.load(builder.gep(table, [places], source_etype=e.element), typ=e.type)
    result = ir.Constant(e.type, ir.Undefined)
    for lane in range(e.lanes):
        at = ir.Constant(ir.IntType(32), lane)
        address = builder.gep(table, [builder.extract_element(places, at)], source_etype=e.element)
        result = builder.insert_element(result, builder.load(address, typ=e.element), at)
    return result
