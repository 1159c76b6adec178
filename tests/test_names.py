"""What `dir(chainrule)` and a star import show."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import inspect
import subprocess
import sys

import pytest

import chainrule
from chainrule.core.operation import TABLE


def test_dir_lists_all_that_is_chainrule_s_own_and_nothing_foreign():
    names = dir(chainrule)
    assert {"compile", "compile_step", "plots", "Value", "grad", "nn", "sum", "tanh", *chainrule.__all__} <= set(names)
    own = [op.name for op in TABLE.values() if not op.built_in]  # of other tests
    public = [name for name in names if not name.startswith("_") and name not in own]
    assert set(public) == {
        *chainrule.__all__,
        *[op.name for op in TABLE.values() if op.built_in],
        "compile",
        "compile_step",
        "errors",
        "plots",
        "random",
        "training",
    }
    for name in public:
        home = getattr(chainrule, name)
        home = home.__name__ if inspect.ismodule(home) else home.__module__
        assert home.partition(".")[0] == "chainrule"


@pytest.mark.parametrize("module", ["losses", "optim", "plots"])
def test_modules_list_what_is_their_own(module):
    listed = dir(importlib.import_module(f"chainrule.{module}"))
    own = importlib.import_module(f"chainrule.{module}")
    assert sorted(listed) == sorted(own.__all__)
    for name in listed:
        assert getattr(getattr(own, name), "__module__", own.__name__) in (own.__name__, "collections.abc", "typing")


def test_each_name_is_there_in_a_fresh_process_without_another_import():
    program = "import chainrule; print([getattr(chainrule, name) for name in dir(chainrule)][-1])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_the_extra_dir_leaves_out_what_could_not_be_imported(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llvmlite" else found(name))
    assert {"compile", "compile_step"}.isdisjoint(dir(chainrule))
    assert "plots" in dir(chainrule)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = chainrule.nothing


def test_a_star_import_leaves_python_s_own_names_alone():
    names = {}
    exec("from chainrule import *", names)
    assert not {name for name in names if hasattr(builtins, name) and not name.startswith("__")}
    assert {"Value", "tanh", "grad"} <= set(names)
