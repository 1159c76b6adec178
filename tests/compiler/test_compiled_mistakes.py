"""chainrule.compile: what it is told wrongly is said in words, and what decorators made is pickled by its name."""

from __future__ import annotations

import copy
import importlib
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

import chainrule
from chainrule import errors

pytest.importorskip("llvmlite")


@chainrule.compile
def cube(x):
    return x * x * x


@chainrule.compile(in_axes=0, reduce="sum")
def of_samples(x):
    return 3.0 * x


class Functions:
    @chainrule.compile
    def square(x):  # noqa: N805
        return x * x


def plain(x):
    return 2.0 * x


other_name = chainrule.compile(plain)

MODULE = """
import chainrule

@chainrule.compile
def cube(x):
    return x * x * x
"""


# ---- options -------------------------------------------------------------------------------------------------------


def test_an_option_that_there_is_not():
    with pytest.raises(errors.ArgumentError) as caught:
        chainrule.compile(plain, axes=0)
    assert "compile has no option 'axes'. Did you mean 'in_axes'?" in str(caught.value)
    assert "in_axes, reduce, dtype, threads, strict, max_traces, memory_limit" in str(caught.value)
    with pytest.raises(errors.ArgumentError, match="no option 'jit'"):
        chainrule.compile(jit=True)


@pytest.mark.parametrize("thing", [3, 3.0, "f", [plain], chainrule.Value(1.0)])
@pytest.mark.parametrize("options", [{}, {"in_axes": 0}])
def test_what_is_no_function(thing, options):
    with pytest.raises(errors.ArgumentError, match=f"compile takes a function.*not the {type(thing).__name__} "):
        chainrule.compile(thing, **options)
    with pytest.raises(errors.ArgumentError, match="compile takes a function"):
        chainrule.compile(**options)(thing)


@pytest.mark.parametrize("argnums", ["x", "xy", 0.0, None, (0, "y"), [1.5], True, {"x": 0}])
def test_argnums_that_are_no_positions(argnums):
    f = chainrule.compile(lambda x, y: x * y)
    for derivative in (f.grad, f.value_and_grad, f.jacobian, f.hessian):
        with pytest.raises(errors.ArgumentError, match="argnums is the position of an argument"):
            derivative(3.0, 4.0, argnums=argnums)
    assert f.grad(3.0, 4.0, argnums=[1, 0]) == (3.0, 4.0)


# ---- pickling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [cube, of_samples, Functions.square])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_decorator_made_is_pickled_by_its_name(function, protocol):
    assert pickle.loads(pickle.dumps(function, protocol)) is function
    assert copy.copy(function) is copy.deepcopy(function) is function


def test_what_has_another_name_than_its_function_is_pickled_with_it():
    again = pickle.loads(pickle.dumps(other_name))
    assert again is not other_name
    assert (again(4.0), again.function) == (8.0, plain)


def test_what_has_no_name_cannot_be_pickled():
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(chainrule.compile(lambda x: x))


@pytest.mark.skipif(sys.platform == "win32", reason="spawning is slow there")
def test_what_a_decorator_made_goes_to_other_processes(tmp_path, monkeypatch):
    (tmp_path / "decorated_by_compile.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "decorated_by_compile", raising=False)
    function = importlib.import_module("decorated_by_compile").cube
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(function, [2.0, 3.0])) == [8.0, 27.0]
    code = f"import pickle, sys; sys.path.insert(0, {str(tmp_path)!r}); print(pickle.load(sys.stdin.buffer).grad(2.0))"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(function), capture_output=True, check=True)
    assert done.stdout.split() == [b"12.0"]
