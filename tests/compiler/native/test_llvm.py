"""Machines, object code, and what is loaded of it."""

from __future__ import annotations

import ctypes
import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.native import llvm
from chainrule.compiler.native.llvm import Machine, NativeCodeError, assembly, compile_to_object, load
from chainrule.errors import ArgumentError

VECTOR = "define <8 x double> @twice(<8 x double> %x) {  %y = fadd <8 x double> %x, %x  ret <8 x double> %y }"
LOOP = """
define double @total(ptr %x, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %sum = phi double [ 0.0, %entry ], [ %more, %loop ]
  %place = getelementptr double, ptr %x, i64 %i
  %one = load double, ptr %place
  %more = fadd double %sum, %one
  %j = add i64 %i, 1
  %again = icmp slt i64 %j, %n
  br i1 %again, label %loop, label %end
end:
  ret double %more
}"""
OF_ONE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


def scaled(factor):
    return f"define double @scaled(double %x) {{  %y = fmul double %x, {float(factor)}  ret double %y }}"


def test_the_host_runs_its_own_code_and_has_vectors():
    host = Machine.host()
    assert host.runs_here
    assert host.bits in (128, 256, 512)
    assert host.lanes(64) == host.bits // 64
    assert host == Machine.host()
    assert host.cpu in host.name
    assert host.features in host.name


@pytest.mark.parametrize(
    ("name", "bits", "fma"), [("sse2", 128, False), ("avx2", 256, True), ("avx512", 512, True), ("arm64", 128, True)]
)
def test_a_named_machine_has_the_width_and_the_products_of_its_name(name, bits, fma):
    machine = Machine.named(name)
    assert (machine.bits, machine.fma, machine.lanes(32)) == (bits, fma, bits // 32)


def test_machines_of_one_name_are_the_same_machine():
    machines = [Machine.host(), *[Machine.named(name) for name in ("sse2", "avx2", "avx512", "arm64")]]
    assert len({machine.name for machine in machines}) == len(set(machines)) == 5


def test_an_unknown_machine_is_refused():
    with pytest.raises(ArgumentError, match=r"there is no machine 'avx52', only sse2, .* Did you mean 'avx512'"):
        Machine.named("avx52")


def test_the_environment_chooses_the_machine(monkeypatch):
    monkeypatch.delenv(llvm.VARIABLE, raising=False)
    assert Machine.default() == Machine.host()
    monkeypatch.setenv(llvm.VARIABLE, "host")
    assert Machine.default() == Machine.host()
    for name in ("sse2", "avx2", "avx512"):
        if Machine.named(name).runs_here:
            monkeypatch.setenv(llvm.VARIABLE, name)
            assert Machine.default() == Machine.named(name)


def test_the_environment_cannot_choose_what_does_not_run_here(monkeypatch):
    if Machine.named("arm64").runs_here:
        pytest.skip("this is an ARM")
    monkeypatch.setenv(llvm.VARIABLE, "arm64")
    with pytest.raises(ArgumentError, match="CHAINRULE_MACHINE is arm64, but this CPU"):
        Machine.default()


def test_a_machine_from_elsewhere_does_not_run_here():
    assert not Machine(Machine.host().triple, "cpu-of-tomorrow", "+magic", 1024).runs_here


@pytest.mark.parametrize(("name", "register"), [("sse2", "xmm"), ("avx2", "ymm"), ("avx512", "zmm"), ("arm64", ".2d")])
def test_the_widest_registers_of_the_machine_are_used(name, register):
    text = assembly(VECTOR, Machine.named(name))
    assert register in text
    wider = {"sse2": "ymm", "avx2": "zmm"}.get(name, "nothing")
    assert wider not in text


@pytest.mark.parametrize(("optimize", "unroll"), [(0, True), (1, True), (2, True), (2, False), (3, True)])
def test_object_code_runs_at_every_level(optimize, unroll):
    library = load(compile_to_object(LOOP, Machine.host(), optimize, unroll))
    total = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int64)(library.address("total"))
    numbers = (ctypes.c_double * 1000)(*range(1000))
    assert total(numbers, 1000) == 499_500.0
    again = load(compile_to_object(scaled(4), Machine.host(), optimize))
    assert OF_ONE(again.address("scaled"))(2.0) == 8.0


def test_functions_of_c_are_found():
    text = """
    declare double @exp(double)
    declare double @floor(double)
    declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
    define double @f(double %x) {  %y = call double @exp(double %x)  %z = call double @floor(double %y)  ret double %z }
    define void @zero(ptr %x, i64 %n) {
      call void @llvm.memset.p0.i64(ptr %x, i8 0, i64 %n, i1 false)
      ret void
    }"""
    library = load(
        compile_to_object(text, Machine.named("sse2") if Machine.named("sse2").runs_here else Machine.host())
    )
    assert OF_ONE(library.address("f"))(1.0) == 2.0
    numbers = (ctypes.c_double * 100)(*range(100))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address("zero"))(numbers, 800)
    assert not any(numbers)


def test_libraries_live_side_by_side_and_go_one_by_one():
    libraries = [load(compile_to_object(scaled(k), Machine.host())) for k in range(1, 6)]
    assert [OF_ONE(library.address("scaled"))(3.0) for library in libraries] == [3.0, 6.0, 9.0, 12.0, 15.0]
    assert libraries[0].address("scaled") == libraries[0].address("scaled")
    del libraries[::2]
    gc.collect()
    assert [OF_ONE(library.address("scaled"))(3.0) for library in libraries] == [6.0, 12.0]


def test_threads_compile_and_load_at_the_same_time():
    def work(k):
        library = load(compile_to_object(scaled(k), Machine.host()))
        return OF_ONE(library.address("scaled"))(2.0)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(40))) == [2.0 * k for k in range(40)]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory in use is read from /proc")
def test_compiled_code_leaves_nothing_behind():
    def pages(count):
        for k in range(count):
            load(compile_to_object(scaled(k), Machine.host())).address("scaled")
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1])

    before = pages(100)
    assert pages(300) - before < 500


def test_what_llvm_refuses_is_an_error_of_chainrule():
    with pytest.raises(NativeCodeError, match="LLVM refuses the module"):
        compile_to_object("define nonsense", Machine.host())
    with pytest.raises(NativeCodeError, match="LLVM refuses the module"):
        compile_to_object("define double @f(double %x) {  %y = fadd double %x, %z  ret double %y }", Machine.host())


def test_what_cannot_be_loaded_is_an_error_of_chainrule():
    with pytest.raises(NativeCodeError, match="no object code"):
        load(b"nonsense")
    library = load(compile_to_object(scaled(2), Machine.host()))
    with pytest.raises(NativeCodeError, match="missing cannot be linked"):
        library.address("missing")
    text = """
    declare double @nowhere(double)
    define double @f(double %x) {  %y = call double @nowhere(double %x)  ret double %y }"""
    with pytest.raises(NativeCodeError, match="f cannot be linked"):
        load(compile_to_object(text, Machine.host())).address("f")


def test_what_is_made_once_is_made_for_each_argument_by_position_or_by_name():
    @llvm.made_once
    def pair(machine, bits=64):
        return [machine, bits]

    assert [pair("m", bits=32), pair("m"), pair("m", 32)] == [["m", 32], ["m", 64], ["m", 32]]
    assert pair("m") is pair("m")
    assert pair("m", bits=32) is pair("m", bits=32)
