"""The search for cycles, paused."""

from __future__ import annotations

import gc
import os
import threading

import pytest

from chainrule.core.collector import collector_paused


def test_the_last_pause_that_ends_lets_the_search_go_on():
    first, second = collector_paused(), collector_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_search_that_was_off_stays_off():
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("own", [False, True])
def test_a_child_has_only_the_pauses_of_the_thread_that_forked(in_child, own):
    inside, over = threading.Event(), threading.Event()

    def other():
        with collector_paused():
            inside.set()
            over.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()

    def child():
        assert gc.isenabled() is not own

    try:
        if own:
            with collector_paused():
                assert in_child(child) == 0
        else:
            assert in_child(child) == 0
    finally:
        over.set()
        thread.join()
    assert gc.isenabled()


def test_a_pause_ends_also_where_an_exception_comes_just_before(monkeypatch):
    enable, comes = gc.enable, [KeyboardInterrupt]

    def interrupted():
        if comes:
            raise comes.pop()
        enable()

    monkeypatch.setattr(gc, "enable", interrupted)
    try:
        with collector_paused():
            pass
    except KeyboardInterrupt:
        pass
    assert not comes
    assert gc.isenabled()
