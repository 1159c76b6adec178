"""floors/asian.c; alone, and in two processes side by side."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter

from compiled_contest.asian import problem
from compiled_contest.contestants import C_TWICE, C
from compiled_contest.entry import Entry
from compiled_contest.natives import compiled, numbers


class ByHand(Entry):
    compiles = True

    def __init__(self) -> None:
        self.z = problem.NORMALS.ctypes.data_as(ctypes.c_void_p)
        self.market = [ctypes.c_double(x) for x in (problem.S0, problem.VOL, problem.R, problem.STRIKE)]
        self.out = numbers([0.0] * 4)

    def build(self) -> None:
        self.floor = compiled("asian")

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.floor.run(self.z, *self.market, self.out)

    def numbers(self) -> list[float]:
        return list(self.out)


class Twice(ByHand):
    """A child process does as much at the same time, so a price takes half of the time until both are done."""

    threads = True
    note = "both running; half of the time of two prices"

    def build(self) -> None:
        super().build()
        context = get_context("fork")
        self.here, there = context.Pipe()
        child = context.Process(target=self.serve, args=(there,), daemon=True)
        child.start()

    def serve(self, pipe: Connection) -> None:
        self.here.close()  # so that the pipe ends with the other process
        with suppress(EOFError):
            while True:
                self.run(pipe.recv())
                pipe.send(None)

    def block(self, steps: int, repeats: int) -> float:
        start = perf_counter()
        self.here.send(steps * repeats)
        self.run(steps * repeats)
        self.here.recv()
        return (perf_counter() - start) / (2 * steps * repeats)


ENTRIES = {C: ByHand, C_TWICE: Twice}
