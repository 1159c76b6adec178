"""The two builds of the engine: which one is imported, and that they agree on every number to the bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule import Value, engine
from chainrule.core.builds import COMPILED, PlainPython

PACKAGE = Path(chainrule.__file__).parent
BOTH_BUILDS = Path(__file__).with_name("both_builds.py")
WHICH = "import chainrule; print(chainrule.engine.is_compiled())"

built = bool(list(PACKAGE.glob("engine.*.so")) or list(PACKAGE.glob("engine.*.pyd")))
needs_both = pytest.mark.skipif(not built, reason="this is a pure build: there is nothing to compare it with")


def python(*arguments, **environment):
    """What a new Python prints, with variables of the environment added (None: taken away)."""
    variables = {**os.environ, **environment}
    variables = {name: x for name, x in variables.items() if x is not None}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_this_run_has_the_build_that_was_asked_for():
    pure = os.environ.get("CHAINRULE_PURE", "") not in ("", "0")
    assert engine.is_compiled() == (built and not pure)
    assert engine.__file__.endswith(".py") != engine.is_compiled()


@needs_both
@pytest.mark.parametrize(
    ("variable", "compiled"), [(None, True), ("", True), ("0", True), ("1", False), ("yes", False)]
)
def test_the_environment_picks_the_build(variable, compiled):
    assert python("-c", WHICH, CHAINRULE_PURE=variable).stdout.strip() == str(compiled)


def test_the_pure_files_are_found_for_the_compiled_modules_alone():
    assert all(PlainPython.find_spec(f"chainrule.{module}").origin.endswith(".py") for module in COMPILED)
    assert PlainPython.find_spec("chainrule.ops") is None
    assert PlainPython.find_spec("engine") is None


@needs_both
@pytest.mark.parametrize("missing", COMPILED)
def test_a_build_that_is_not_complete_is_not_used(tmp_path, missing):
    ignored = shutil.ignore_patterns("__pycache__", f"{missing.rpartition('.')[2]}.*.so")
    shutil.copytree(PACKAGE, tmp_path / "chainrule", ignore=ignored)
    done = python("-c", WHICH, PYTHONPATH=str(tmp_path), CHAINRULE_PURE=None)
    assert done.stdout.strip() == "False", done.stderr


@needs_both
def test_a_build_of_another_table_is_refused(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "chainrule", ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "chainrule" / "ops" / "lists.py"
    more = "@operation(local=lambda x, y: 2.0)\ndef twice(x: float) -> float:\n    return 2.0 * x\n"
    table.write_text(f"{table.read_text(encoding='utf-8')}\n\n{more}")
    done = python("-c", WHICH, PYTHONPATH=str(tmp_path), CHAINRULE_PURE=None)
    assert "another table of operations" in done.stderr
    assert python("-c", WHICH, PYTHONPATH=str(tmp_path), CHAINRULE_PURE="1").stdout.strip() == "False"


def test_python_without_its_lock_is_refused():
    program = "import sys; sys._is_gil_enabled = lambda: False; import chainrule"
    assert "ImportError: chainrule needs the global interpreter lock" in python("-c", program).stderr


@needs_both
def test_both_builds_agree_to_the_bit():
    """Every operation at every sample and special value, and random graphs: numbers, locals, gradients."""
    compiled, pure = [
        python(BOTH_BUILDS, 150, CHAINRULE_PURE=variable, PYTHONPATH=str(PACKAGE.parent)) for variable in (None, "1")
    ]
    assert compiled.returncode == pure.returncode == 0, compiled.stderr + pure.stderr
    first, second = compiled.stdout.splitlines(), pure.stdout.splitlines()
    assert (first[0], second[0]) == ("compiled", "pure")
    assert len(first) == len(second) > 10_000
    different = [(a, b) for a, b in zip(first[1:], second[1:], strict=True) if a != b]
    assert not different, different[:5]


@pytest.mark.skipif(not engine.is_compiled(), reason="about the compiled node")
def test_a_compiled_node_is_small_and_unknown_to_the_collector():
    node = Value(1.0) + Value(2.0)
    assert sys.getsizeof(node) <= 112
    assert not type(node).__flags__ & 1 << 14  # Py_TPFLAGS_HAVE_GC
