"""Forked processes: no lock of chainrule's stays taken, whatever other threads were doing at that moment."""

from __future__ import annotations

import threading

import pytest

from chainrule import Value, detect_anomaly, no_grad
from chainrule.core import forks
from chainrule.core.forks import held_while_forking, lock_held_while_forking, renewed_in_child
from chainrule.core.modes import open_modes, open_traces, tracing


@pytest.fixture
def registered(monkeypatch):
    """Locks that a test registers are forgotten after it."""
    monkeypatch.setattr(forks, "_held", list(forks._held))
    monkeypatch.setattr(forks, "_innermost", list(forks._innermost))


def test_whoever_forks_waits_for_a_lock_and_both_processes_find_it_free(registered, in_child):
    lock, has_it = lock_held_while_forking(), threading.Event()
    other_done = []

    def other():
        with lock:
            has_it.set()
            threading.Event().wait(0.1)
            other_done.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    has_it.wait()

    def child():
        assert other_done  # the lock was given back before the fork
        assert lock.acquire(timeout=5)

    assert in_child(child) == 0
    thread.join()
    found = []
    thread = threading.Thread(target=lambda: found.append(lock.acquire(timeout=5)))
    thread.start()
    thread.join()
    assert found == [True]


def test_who_has_the_lock_can_fork(registered, in_child):
    lock = lock_held_while_forking()
    with lock:
        assert in_child(lambda: lock.release()) == 0


def test_a_thread_gives_back_what_it_took_itself(registered, in_child, in_threads):
    """Also where another one takes the first lock before this one has noted that it is done."""
    back, taken = threading.Event(), threading.Event()

    class First:
        lock = threading.RLock()

        def acquire(self):
            self.lock.acquire()
            if back.is_set():
                taken.set()

        def release(self):
            self.lock.release()
            back.set()
            taken.wait(0.2)  # it then stands among the locks that the other thread took

    class Second:
        def acquire(self):
            threading.Event().wait(0.1 if back.is_set() else 0)

        release = acquire

    first = First()
    forks._held[:] = [held_while_forking(first), held_while_forking(Second())]

    def later():
        back.wait(20)
        return in_child(lambda: None)

    assert in_threads([lambda: in_child(lambda: None), later]) == [0, 0]
    assert in_threads([lambda: first.lock.acquire(timeout=5) and first.lock.release() is None]) == [True]


def test_locks_are_taken_in_the_order_in_which_they_were_registered(registered, in_child):
    order = []

    class Lock:
        def __init__(self, name):
            self.name = name

        def acquire(self):
            order.append(self.name)

        def release(self):
            order.append(f"{self.name} back")

    held_while_forking(Lock("innermost"), innermost=True)
    for name in "ab":
        held_while_forking(Lock(name))
    assert in_child(lambda: None) == 0
    assert order == ["a", "b", "innermost", "innermost back", "b back", "a back"]


def test_what_is_made_anew_in_the_child_is_so_there_alone(in_child):
    class Owner:
        lock = 0

        def after_fork(self):
            self.lock += 1

    owner = Owner()
    renewed_in_child(owner)

    def child():
        assert owner.lock == 1

    assert in_child(child) == 0
    assert owner.lock == 0


def test_a_child_can_differentiate_while_other_threads_do(in_child):
    """`backward()` walks under a lock, which some thread nearly always has."""
    stop, x = threading.Event(), Value(2.0)

    def work():
        while not stop.is_set():
            y = x
            for _ in range(300):
                y = y * 1.0
            y.backward()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()

    def child():
        y = Value(3.0)
        (y * y).backward()
        assert y.grad == 6.0

    try:
        assert [in_child(child) for _ in range(20)] == [0] * 20
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_child_is_in_no_mode_of_another_thread(in_child):
    """Each operation would look for one for ever."""
    inside, go_on = threading.Event(), threading.Event()

    def other():
        with no_grad():
            inside.set()
            go_on.wait(20)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(20)

    def child():
        assert open_modes == []
        assert (Value(1.0) * 2).operands

    def child_in_a_mode():
        assert open_modes
        assert not (Value(1.0) * 2).operands

    try:
        assert in_child(child) == 0
        with no_grad():
            assert in_child(child_in_a_mode) == 0
    finally:
        go_on.set()
        thread.join()
    assert open_modes == []


def test_a_child_traces_what_its_own_thread_traces_and_no_more(in_child):
    inside, go_on = threading.Event(), threading.Event()

    def other():
        with tracing(object()), no_grad():
            inside.set()
            go_on.wait(20)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(20)

    def child(*opened):
        assert open_modes == list(opened)
        assert open_traces == [name for name in opened if name == "trace"]

    try:
        assert in_child(child) == 0
        with no_grad(), detect_anomaly():
            assert in_child(lambda: child("recording", "places", "zeros", "warned_lines", "warnings")) == 0
        with tracing(object()), tracing(object()):
            assert in_child(lambda: child("trace", "trace")) == 0
    finally:
        go_on.set()
        thread.join()
    assert open_modes == open_traces == []
