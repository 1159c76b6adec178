"""Work that exceptions from outside do not break off."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading

import pytest

pytest.importorskip("llvmlite")

import llvmlite.binding

from chainrule.compiler.native import llvm, uninterrupted
from chainrule.compiler.native.llvm import Machine, NativeCodeError, assembly, compile_to_object, load

TWICE = "define double @twice(double %x) {  %y = fadd double %x, %x  ret double %y }"


class Outside(BaseException):
    """Raised in a thread by another, as Ctrl-C is raised in the main thread by a signal."""


def raise_in(thread):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Outside))


@uninterrupted.uninterrupted()
def where_it_runs():
    return threading.get_ident()


def test_nothing_of_llvmlites_runs_where_an_exception_could_come_from_outside():
    """llvmlite frees memory twice if it is interrupted between freeing it and writing down that it is free."""
    seen = set()

    def look(frame, event, argument):
        seen.add(frame.f_code.co_filename)

    def everything():
        machine = Machine.host()
        library = load(compile_to_object(TWICE, machine, optimize=3))
        library.address("twice")
        assembly(TWICE, Machine.named("avx2"))
        for wrong in (lambda: compile_to_object("what", machine), lambda: load(b"what"), lambda: library.address("f")):
            with pytest.raises(NativeCodeError):
                wrong()

    for function in (llvm._host, llvm._process_triple, llvm._target):
        function.cache_clear()
    before = sys.gettrace()
    sys.settrace(look)
    try:
        everything()
        gc.collect()
    finally:
        sys.settrace(before)
    folder = llvmlite.binding.__path__[0]
    assert llvm.__file__ in seen
    assert not [name for name in seen if name.startswith(folder)]


def test_the_work_ends_and_then_the_exception_is_raised(in_threads):
    began, may_end, ended = threading.Event(), threading.Event(), []

    @uninterrupted.uninterrupted()
    def work():
        began.set()
        may_end.wait(20)
        ended.append(True)

    def waiting():
        callers.append(threading.get_ident())
        with pytest.raises(Outside):
            work()
        return list(ended), gc.isenabled()

    callers = []

    def interrupting():
        began.wait(20)
        raise_in(callers[0])
        may_end.set()

    assert in_threads([waiting, interrupting])[0] == ([True], True)
    assert where_it_runs() != threading.get_ident()  # no lock was left taken


def test_an_exception_that_meets_the_new_thread_in_place_of_the_calling_one_is_raised_there_when_the_work_is_done(
    monkeypatch,
):
    """Until a new thread runs, Python 3.11 has it under the number of the thread that made it."""
    start, done = uninterrupted._thread.start_new_thread, []

    def met(function, arguments):
        assert function is next
        return start(interrupted, arguments[:1])

    def interrupted(running):
        with contextlib.suppress(StopIteration):
            running.throw(Outside())

    monkeypatch.setattr(uninterrupted._thread, "start_new_thread", met)
    with pytest.raises(Outside):
        uninterrupted.uninterrupted()(lambda: done.append(threading.get_ident()))()
    assert len(done) == 1
    assert done[0] != threading.get_ident()


def test_an_exception_before_the_thread_is_made_leaves_the_work_undone(monkeypatch):
    def interrupted(*arguments):
        raise Outside

    done = []
    monkeypatch.setattr(uninterrupted._thread, "start_new_thread", interrupted)
    with pytest.raises(Outside):
        uninterrupted.uninterrupted()(lambda: done.append(1))()
    gc.collect()
    assert not done


def test_what_is_asked_of_such_work_is_done_in_its_thread():
    @uninterrupted.uninterrupted()
    def outer():
        return where_it_runs() == threading.get_ident()

    assert outer()


def test_a_thread_that_has_a_needed_lock_does_the_work_itself():
    here = threading.get_ident()
    assert uninterrupted.uninterrupted(may_run_here=lambda: True)(threading.get_ident)() == here
    with llvm._of_llvmlite:
        assert llvm._calling_llvm(threading.get_ident)() == here
    assert llvm._calling_llvm(threading.get_ident)() != here


def test_an_error_is_raised_where_the_work_was_asked_for():
    freed = []

    class Held:
        def __del__(self):
            freed.append(threading.get_ident())

    @uninterrupted.uninterrupted()
    def failing():
        held = Held()
        raise ValueError(f"{type(held).__name__} is no good")

    with pytest.raises(ValueError, match="Held is no good"):
        failing()
    assert len(freed) == 1
    assert freed[0] != threading.get_ident()  # what it held is freed where the work was done


def test_the_work_is_done_also_where_no_thread_can_be_had(monkeypatch):
    def refuse(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(uninterrupted._thread, "start_new_thread", refuse)
    assert where_it_runs() == threading.get_ident()


def test_the_work_has_a_stack_that_is_large_enough_and_threads_of_others_have_theirs():
    def deep(n):
        return 0 if n == 0 else 1 + deep(n - 1)

    before = threading.stack_size(2**18)
    try:
        assert uninterrupted.uninterrupted()(lambda: deep(300))() == 300
        assert threading.stack_size() == 2**18
    finally:
        threading.stack_size(before)


def test_a_child_forked_while_a_thread_is_made_can_make_one(in_child):
    held = threading.Event()

    def holding():
        with uninterrupted._starting:
            held.set()
            threading.Event().wait(0.3)

    thread = threading.Thread(target=holding)
    thread.start()
    held.wait(20)

    def child():
        assert where_it_runs() != threading.get_ident()

    assert in_child(child) == 0
    thread.join()


def test_a_child_forked_during_the_work_waits_for_it_and_can_do_more(in_child):
    began, may_end = threading.Event(), threading.Event()

    @uninterrupted.uninterrupted()
    def work():
        began.set()
        may_end.wait(0.3)

    thread = threading.Thread(target=work)
    thread.start()
    began.wait(20)

    def child():
        assert where_it_runs() != threading.get_ident()
        assert gc.isenabled()

    assert in_child(child) == 0
    may_end.set()
    thread.join()
