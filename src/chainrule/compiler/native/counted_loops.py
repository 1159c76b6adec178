"""Counted loops in LLVM IR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

I64 = ir.IntType(64)


@contextmanager
def counted(builder: ir.IRBuilder, end: int | ir.Value, step: int = 1, start: int | ir.Value = 0) -> Iterator[ir.Value]:
    """Generates a loop whose counter runs from `start` up to, but not including, `end`, around the body of the `with`.

    Yields the counter (the induction variable); afterwards the builder is positioned after the loop.
    """
    function = builder.function
    first = I64(start) if isinstance(start, int) else start
    last = I64(end) if isinstance(end, int) else end
    before = builder.block
    body, after = function.append_basic_block("loop"), function.append_basic_block("after")
    if isinstance(start, int) and isinstance(end, int) and start < end:
        builder.branch(body)
    else:
        builder.cbranch(builder.icmp_signed("<", first, last), body, after)
    builder.position_at_end(body)
    counter = builder.phi(I64)
    counter.add_incoming(first, before)
    yield counter
    following = builder.add(counter, I64(step))
    counter.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, last), body, after)
    builder.position_at_end(after)
