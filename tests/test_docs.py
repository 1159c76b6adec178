"""What the documents promise."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule import ops
from chainrule.core.operation import TABLE

ROOT = Path(__file__).parents[1]


def test_the_page_of_operations_is_what_the_table_gives(loaded):
    program = loaded(ROOT / "docs" / "operations.py")
    assert program.PAGE.read_text(encoding="utf-8") == program.page()


@pytest.mark.parametrize("op", [op for op in TABLE.values() if ">>>" in (op.__doc__ or "")], ids=lambda op: op.name)
def test_examples_of_operations_run(op):
    test = doctest.DocTestParser().get_doctest(op.__doc__, dict(vars(ops)), op.name, None, None)
    runner = doctest.DocTestRunner()
    assert runner.run(test).failed == 0
    assert runner.tries > 0


def test_adding_an_operation_touches_one_file(tmp_path):
    """The operation that CONTRIBUTING adds is then tested, drawn, explained and checked, with no other file changed.

    (The pure engine takes it as it stands; the compiled one is built again: see test_generate_native.)
    """
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"<!-- operation -->\n```python\n(.*?)```", text, re.DOTALL)[1]
    package = tmp_path / "chainrule"
    shutil.copytree(
        Path(chainrule.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    )
    table = package / "ops" / "exponentials.py"
    table.write_text(f"{table.read_text(encoding='utf-8')}\n\n{code}", encoding="utf-8")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    tests = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "sinh", str(ROOT / "tests" / "test_ops.py"))
    assert tests.returncode == 0, tests.stdout
    assert re.search(r"\d\d? passed", tests.stdout), tests.stdout
    program = """
import chainrule
from chainrule import check_gradients, draw, explain, sinh
from chainrule.expression import parse
x = chainrule.Value(0.5, "x")
assert "sinh" in draw(x.sinh()).svg
assert "sinh" in str(explain(x.sinh()))
assert check_gradients(lambda v: sinh(v) * v, [0.5]).ok
assert abs(chainrule.grad(chainrule.grad(sinh))(0.5) - sinh(0.5)) < 1e-15
print(chainrule.sinh(0.5))
"""
    result = run("-c", program)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "0.5210953054937474\n"
