"""Threads that share out a call, and where they run."""

from __future__ import annotations

import multiprocessing
import os
import threading

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.native import threads
from chainrule.compiler.native.threads import Crew, cpus_of_helpers


def test_the_first_task_is_the_callers_own():
    names = Crew(2).share([threading.current_thread] * 2)
    assert names[0] is threading.current_thread()
    assert names[1] is not threading.current_thread()


def test_tasks_run_side_by_side():
    meeting = threading.Barrier(3, timeout=20)
    assert sorted(Crew(3).share([meeting.wait] * 3)) == [0, 1, 2]


@pytest.mark.parametrize("failing", [0, 1])
def test_all_have_ended_when_one_fails(failing):
    ended = threading.Event()

    def fail():
        raise ValueError("no")

    def last():
        threading.Event().wait(0.05)
        ended.set()

    tasks = [fail, last] if failing == 0 else [last, fail]
    with pytest.raises(ValueError, match="no"):
        Crew(2).share(tasks)
    assert ended.is_set()


def test_all_have_ended_when_ctrl_c_comes_while_they_are_waited_for(monkeypatch):
    """What they still write into is memory that the next call will use."""
    ended, wait, comes = threading.Event(), threads.wait, [KeyboardInterrupt, KeyboardInterrupt]

    def interrupted(tasks):
        if comes:
            raise comes.pop()
        return wait(tasks)

    def slow():
        threading.Event().wait(0.05)
        ended.set()

    monkeypatch.setattr(threads, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Crew(2).share([lambda: None, slow])
    assert ended.is_set()


@pytest.mark.parametrize(("cpus", "here", "helpers", "wanted"), [
    ({0, 1}, 0, 1, [{1}]),
    ({0, 1}, 1, 1, [{0}]),
    ({0, 1, 2, 3, 4}, 2, 2, [{0, 3}, {1, 4}]),
    ({0, 1, 2}, 1, 3, [{0, 1, 2}] * 3),
    ({5}, 5, 1, [{5}]),
])  # fmt: skip
def test_helpers_keep_out_of_each_others_way(cpus, here, helpers, wanted, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    monkeypatch.setattr(threads, "_current_cpu", lambda: here)
    assert cpus_of_helpers(helpers) == wanted


def test_where_the_system_cannot_say_helpers_run_anywhere(monkeypatch):
    monkeypatch.setattr(threads, "_current_cpu", None)
    assert cpus_of_helpers(2) == [set(), set()]
    assert Crew(2).share([lambda: 1, lambda: 2]) == [1, 2]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say where threads may run")
def test_the_caller_stays_where_it_may_run():
    before = os.sched_getaffinity(0)
    found = Crew(2).share([lambda: os.sched_getaffinity(0)] * 2)
    assert os.sched_getaffinity(0) == found[0] == before
    assert found[1] <= before


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_forked_process_has_helpers_of_its_own():
    pair = Crew(2)
    pair.share([threading.get_ident] * 2)
    process = multiprocessing.get_context("fork").Process(target=pair.share, args=([threading.get_ident] * 2,))
    process.start()
    process.join(20)
    assert process.exitcode == 0
