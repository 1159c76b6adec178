"""Operations as native functions on rows of numbers."""

from __future__ import annotations

import ctypes
import gc
import warnings
import weakref
from contextlib import suppress

import pytest

from chainrule.errors import SlowWarning

with suppress(ImportError):  # without llvmlite or NumPy, the tests beside this file skip themselves
    import numpy as np
    from llvmlite import ir

    from chainrule.compiler.lowering.operations import Emitter
    from chainrule.compiler.native.llvm import Machine, compile_to_object, load

NAMES = ["sse2", "avx2", "avx512"]


@pytest.fixture(autouse=True)
def verified(monkeypatch):
    """Each pass has to give a graph that is one."""
    monkeypatch.setenv("CHAINRULE_VERIFY", "1")


class Noting:
    """In the place of a function or class: takes note, by weak references, of what it makes."""

    def __init__(self, made, make):
        self.made, self.make = made, make

    def __call__(self, *args):
        thing = self.make(*args)
        self.made.append(weakref.ref(thing))
        return thing

    def __instancecheck__(self, instance):
        return isinstance(instance, self.make)


@pytest.fixture
def noted(monkeypatch):
    """Takes note of what some functions or classes of a module make from now on: `made = noted(module, "build")`."""

    def note(module, *names):
        made = []
        for name in names:
            monkeypatch.setattr(module, name, Noting(made, getattr(module, name)))
        return made

    return note


@pytest.fixture
def alive():
    """How many of some weak references lead to something."""

    def count(references):
        gc.collect()
        return sum([reference() is not None for reference in references])

    return count


@pytest.fixture
def quiet():
    """Calls something without a word about how slow it is."""

    def call(f, *args):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlowWarning)
            return f(*args)

    return call


@pytest.fixture(params=NAMES)
def machine(request):
    """Each kind of machine whose code runs here."""
    found = Machine.named(request.param)
    if not found.runs_here:
        pytest.skip(f"this CPU has no {request.param}")
    return found


class Kernel:
    """An operation applied to every number of some rows, in vectors of so many lanes."""

    def __init__(self, op, machine, lanes=1, *, bits=64, exact=False, count=None, build=None):
        self.lanes, self.dtype = lanes, np.float64 if bits == 64 else np.float32
        self.count = count or len(op.operand_names or op.samples[0])
        self.build = build or (lambda emitter, operands: emitter.apply(op, operands))
        self.module = ir.Module()
        self._write(machine, bits, exact)
        self.library = load(compile_to_object(self.module, machine))
        signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (self.count + 1), ctypes.c_int64)
        self.function = signature(self.library.address("kernel"))

    def _write(self, machine, bits, exact):
        i64, pointer = ir.IntType(64), ir.PointerType()
        signature = ir.FunctionType(ir.VoidType(), [pointer] * (self.count + 1) + [i64])
        function = ir.Function(self.module, signature, "kernel")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        loop, end = function.append_basic_block("loop"), function.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        i = builder.phi(i64)
        i.add_incoming(i64(0), function.blocks[0])
        e = Emitter(builder, self.module, machine, self.lanes, bits, exact)
        places = [builder.gep(row, [i], source_etype=e.element) for row in function.args[:-1]]
        operands = [builder.load(place, typ=e.type, align=bits // 8) for place in places[:-1]]
        builder.store(self.build(e, operands), places[-1], align=bits // 8)
        following = builder.add(i, i64(self.lanes))
        i.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, function.args[-1]), loop, end)
        builder.position_at_end(end)
        builder.ret_void()

    def __call__(self, *rows):
        size = len(rows[0])
        padded = [np.concatenate([row, np.full(-size % self.lanes, row[-1])]).astype(self.dtype) for row in rows]
        out = np.empty_like(padded[0])
        self.function(*[row.ctypes.data for row in [*padded, out]], len(out))
        return out[:size]


@pytest.fixture(scope="session")
def kernel():
    """Makes a Kernel."""
    return Kernel
