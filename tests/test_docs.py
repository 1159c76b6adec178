"""What the documents promise."""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule import ops
from chainrule.core.operation import TABLE, forget

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


@pytest.fixture
def copied(tmp_path):
    """A copy of the package that a test may change, and a function that runs Python with it."""
    package = tmp_path / "chainrule"
    shutil.copytree(
        Path(chainrule.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])  # the build stands in the root
    environment = {"PYTHONPATH": path, "PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "CHAINRULE_CACHE": "off"}

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return package, run


def add(file, code, before=""):
    """Adds lines to a file, at its end or before what stands there once."""
    text = file.read_text(encoding="utf-8")
    assert not before or text.count(before) == 1
    file.write_text(text.replace(before, code + before) if before else f"{text}\n\n{code}", encoding="utf-8")


def test_adding_an_operation_touches_one_file(copied):
    """The operation that CONTRIBUTING adds is then tested, drawn, explained and checked, with no other file changed.

    (The pure engine takes it as it stands; the compiled one is built again: see building/test_native.)
    """
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"<!-- operation -->\n```python\n(.*?)```", text, re.DOTALL)[1]
    package, run = copied
    add(package / "ops" / "trigonometry.py", code)
    tests = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "cot", str(ROOT / "tests" / "test_ops.py"))
    assert tests.returncode == 0, tests.stdout
    assert re.search(r"\d\d? passed", tests.stdout), tests.stdout
    program = """
import chainrule
from chainrule import check_gradients, cot, draw, explain
from chainrule.expression import parse
x = chainrule.Value(0.5, "x")
assert "cot" in draw(x.cot()).svg
assert "cot" in str(explain(x.cot()))
assert check_gradients(lambda v: cot(v) * v, [0.5]).ok
y = cot(0.5)
assert abs(chainrule.grad(chainrule.grad(cot))(0.5) - 2 * y * (1 + y * y)) < 1e-13
print(chainrule.cot(0.5))
"""
    result = run("-c", program)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "1.830487721712452\n"


OF_A_NEW_FUNCTION = """
@operation(local=[lambda a, b, y: 1.0, None], samples=[(1.0, 2.0), (3.0, 3.0)])
def nextafter(a: float, b: float) -> float:
    \"\"\"The float next to a on the way to b.\"\"\"
    return math.nextafter(a, b)
"""
WHAT_BECOMES_OF_IT = """
import math
import chainrule
from building.native import native
from chainrule.ops import nextafter
assert chainrule.Value(1.0).nextafter(2.0).data == nextafter(1.0, 2.0) == math.nextafter(1.0, 2.0)
in_c = native(chainrule.ops).partition("double value_nextafter(")[2]
print(in_c.splitlines()[1].strip())
try:
    from chainrule.compiler.lowering.operations import Emitter, NotLowered
    from chainrule.compiler.native.llvm import Machine
    from llvmlite import ir
except ImportError:
    raise SystemExit from None
compiled = chainrule.compile(lambda x: nextafter(x, 2.0) * 1.0, strict=True)
assert compiled(1.0) == nextafter(1.0, 2.0)
module, number = ir.Module(), ir.DoubleType()
function = ir.Function(module, ir.FunctionType(number, [number] * 2), "f")
emitter = Emitter(ir.IRBuilder(function.append_basic_block()), module, Machine.host(), lanes=1)
try:
    emitter.apply(nextafter, function.args)
except NotLowered as error:
    print(str(error).partition(" (line")[0])
else:
    print("@nextafter" if "nextafter" in str(module) else "")
"""


@pytest.mark.slow
def test_a_new_function_of_math_is_one_line_more(copied):
    package, run = copied
    add(package / "ops" / "arithmetic.py", OF_A_NEW_FUNCTION)
    without = run("-c", WHAT_BECOMES_OF_IT)
    assert without.returncode == 0, without.stderr
    in_c, *in_llvm = without.stdout.splitlines()
    assert "python_math('nextafter', (a, b))" in in_c
    assert in_llvm in (
        [],
        ["the operation nextafter is not compiled: its text has math.nextafter, which is Python's own"],
    )
    line = '        Function("nextafter", 2, c="nextafter", llvm="libm"),\n'
    add(package / "reading" / "functions.py", line, before='        Function("pow"')
    tests = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "nextafter", str(ROOT / "tests" / "test_ops.py"))
    assert tests.returncode == 0, tests.stdout
    done = run("-c", WHAT_BECOMES_OF_IT)
    assert done.returncode == 0, done.stderr
    in_c, *in_llvm = done.stdout.splitlines()
    assert "return math.nextafter(a, b)" in in_c
    assert in_llvm in ([], ["@nextafter"])


def test_the_walk_to_a_first_operation_arrives(copied):
    """The entry and the test that docs/first-operation.md has, in the places that it names."""
    if hasattr(chainrule.ops, "softsign"):
        pytest.skip("the walk was walked here: its operation is in the table")
    text = (ROOT / "docs" / "first-operation.md").read_text(encoding="utf-8")
    entry, test = re.findall(r"<!-- softsign(?: test)? -->\n```python\n(.*?)```", text, re.DOTALL)
    package, run = copied
    file = package / "ops" / "activations.py"
    (line,) = re.findall(r"from chainrule.ops.arithmetic import .*\n", file.read_text(encoding="utf-8"))
    file.write_text(file.read_text(encoding="utf-8").replace(line, f"{line[:-1]}, div\n"), encoding="utf-8")
    add(file, entry)
    tests = package.parent / "test_ops.py"
    shutil.copy(ROOT / "tests" / "test_ops.py", tests)
    shutil.copy(ROOT / "tests" / "conftest.py", package.parent)
    add(tests, test)
    result = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "softsign", str(tests))
    assert result.returncode == 0, result.stdout
    assert re.search(r"[8-9] passed", result.stdout), result.stdout


ENGINE = Path(chainrule.__file__).parent / "engine.py"
QUESTIONS = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")


def test_the_engine_is_as_long_as_is_said_of_it():
    lines = len(ENGINE.read_text(encoding="utf-8").splitlines())
    for page in ("README.md", "docs/architecture.md"):
        (said,) = re.findall(r"some (\d+) lines", (ROOT / page).read_text(encoding="utf-8"))
        assert int(said) - 10 < lines <= int(said), page


def slots():
    source = (ENGINE.parent / "storage" / "value_base.py").read_text(encoding="utf-8")
    return ast.literal_eval(re.search(r"__slots__ = (\(.*?\))", source, re.DOTALL)[1])


def test_answers_to_questions_about_the_engine_point_at_names_in_it():
    _, *answers = re.split(r"^## ", QUESTIONS, flags=re.MULTILINE)
    assert [answer.partition(".")[0] for answer in answers] == [str(n) for n in range(1, 11)]
    text = ENGINE.read_text(encoding="utf-8")
    named = {"chainrule", *slots()}
    for node in ast.walk(ast.parse(text)):
        named |= {getattr(node, field) for field in ("name", "id", "attr", "arg") if hasattr(node, field)}
        named |= {name for alias in getattr(node, "names", []) for name in (alias.name, *alias.name.split("."))}
    for answer in answers:
        names = re.findall(r"`([\w.]+)`", answer.partition("Look at: ")[2])
        assert names, answer.splitlines()[0]
        for name in names:
            assert set(name.split(".")) <= named, name


def test_the_legend_at_the_head_of_the_engine_has_every_slot_and_no_other():
    legend = re.findall(
        r"^    (_\w+(?:, _\w+)*)  ", ast.get_docstring(ast.parse(ENGINE.read_text(encoding="utf-8"))), re.MULTILINE
    )
    assert sorted(name for names in legend for name in names.split(", ")) == sorted(slots())


def test_answers_to_questions_about_the_engine_run():
    test = doctest.DocTestParser().get_doctest(QUESTIONS, {}, "engine.md", None, None)
    runner = doctest.DocTestRunner()
    try:
        assert runner.run(test).failed == 0
    finally:
        forget("cube")
