"""Threads that share out a call, and where they run."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

pytest.importorskip("llvmlite")

from chainrule.compiler.native import threads
from chainrule.compiler.native.threads import ThreadPool, cpus_of_workers


def test_the_first_task_is_the_callers_own():
    names = ThreadPool(2).share([threading.current_thread] * 2)
    assert names[0] is threading.current_thread()
    assert names[1] is not threading.current_thread()


def test_tasks_run_side_by_side():
    meeting = threading.Barrier(3, timeout=20)
    assert sorted(ThreadPool(3).share([meeting.wait] * 3)) == [0, 1, 2]


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
        ThreadPool(2).share(tasks)
    assert ended.is_set()


@pytest.mark.parametrize("moment", ["as it starts", "as it is waited for", "both"])
def test_all_have_ended_when_ctrl_c_comes(moment, monkeypatch):
    """What they still write into is memory that the next call will use."""
    ended, started, submit = threading.Event(), [], ThreadPoolExecutor.submit

    def interrupted_submit(executor, task):
        started.append(submit(executor, task))
        if task is slow and moment != "as it is waited for":
            raise KeyboardInterrupt
        return started[-1]

    def interrupted_result(future):
        if comes:
            raise comes.pop()
        return result(future)

    def slow():
        threading.Event().wait(0.05)
        ended.set()

    pair, result, comes = ThreadPool(2), Future.result, [KeyboardInterrupt] * 2
    pair.share([int, int])  # so that the thread is there
    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted_submit)
    if moment != "as it starts":
        monkeypatch.setattr(Future, "result", interrupted_result)
    with pytest.raises(KeyboardInterrupt):
        pair.share([lambda: None, slow])
    assert ended.is_set()


def test_a_task_for_which_there_was_no_thread_is_never_run(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    ran, pair = [], ThreadPool(2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pair.share([int, lambda: ran.append(1)])
    assert pair.share([lambda: 1, lambda: 2]) == [1, 2]
    assert not ran


@pytest.mark.parametrize(("cpus", "here", "workers", "wanted"), [
    ({0, 1}, 0, 1, [{1}]),
    ({0, 1}, 1, 1, [{0}]),
    ({0, 1, 2, 3, 4}, 2, 2, [{0, 3}, {1, 4}]),
    ({0, 1, 2}, 1, 3, [{0, 1, 2}] * 3),
    ({5}, 5, 1, [{5}]),
])  # fmt: skip
def test_helpers_keep_out_of_each_others_way(cpus, here, workers, wanted, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    monkeypatch.setattr(threads, "_current_cpu", lambda: here)
    assert cpus_of_workers(workers) == wanted


def test_where_the_system_cannot_say_helpers_run_anywhere(monkeypatch):
    monkeypatch.setattr(threads, "_current_cpu", None)
    assert cpus_of_workers(2) == [set(), set()]
    assert ThreadPool(2).share([lambda: 1, lambda: 2]) == [1, 2]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say where threads may run")
def test_the_caller_stays_where_it_may_run():
    before = os.sched_getaffinity(0)
    found = ThreadPool(2).share([lambda: os.sched_getaffinity(0)] * 2)
    assert os.sched_getaffinity(0) == found[0] == before
    assert found[1] <= before


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_forked_process_has_helpers_of_its_own():
    pair = ThreadPool(2)
    pair.share([threading.get_ident] * 2)
    process = multiprocessing.get_context("fork").Process(target=pair.share, args=([threading.get_ident] * 2,))
    process.start()
    process.join(20)
    assert process.exitcode == 0
