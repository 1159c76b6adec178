"""Which rooms calls enter, and where they go back."""

from __future__ import annotations

from pathlib import Path

import pytest

import chainrule

TOOL = Path(__file__).parents[2] / "tools" / "walk.py"


@pytest.fixture(scope="module")
def walk(loaded):
    return loaded(TOOL)


def test_rooms_stand_in_the_order_in_which_they_are_entered(walk):
    seen = walk.Walk(lambda: chainrule.hessian(lambda x: x * x)(2.0))
    assert seen.rooms[0] == "transforms"
    assert len(set(seen.rooms)) == len(seen.rooms)


def test_a_function_that_was_handed_down_is_a_return_up(walk):
    seen = walk.Walk(lambda: chainrule.jacobian(lambda x: [x * x])(2.0))
    caller, called = seen.returns["core", "transforms"]
    assert caller.startswith("tree_map")
    assert called == "_variable"
    assert "transforms" not in walk.below("core")
    assert "core" in walk.below("transforms")


def test_rooms_below_are_those_that_are_imported_by_way_of_others_as_well(walk):
    assert walk.below("draw") >= {"core", "ops", "errors"}
    assert walk.below("draw").isdisjoint({"draw", "engine", "nn", "compiler"})
    assert "graph" not in walk.below("compiler/native")
    assert walk.below("compiler/trace") >= {"compiler/graph", "engine", "core"}


def test_who_profiles_goes_on_doing_so(walk):
    def failing():
        raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        walk.Walk(failing)
    assert walk.sys.getprofile() is None


@pytest.mark.parametrize("name", ["compile(f).grad(x)", "draw(y)"])
def test_calls_go_through_the_house_without_turning_back(walk, name, tmp_path, monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr("chainrule.core.naming.known", {})  # models of other tests would be asked for names
    work = walk.walks(str(tmp_path))[name]
    work()
    assert walk.Walk(work).returns == {}
