"""Where a node was made: its place is that of one operator or call in the text."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import os
import runpy
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

import chainrule
from chainrule.core.operation import TABLE, forget
from chainrule.see.recording import Recording
from chainrule.see.recording.places import AROUND, WHOLE

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("0*.py"))

OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "mod", ast.USub: "neg",
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip


def recorded(text, name="a_recorded_text.py", **options) -> Recording:
    """What a text does, as if it stood in a file of this name."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    with chainrule.recording(**options) as story:
        exec(compile(text, name, "exec"), {"__name__": "program"})
    return story


def piece(story, place):
    """The text at a place."""
    lines = story.sources[place.source].text.splitlines(keepends=True)
    chosen = lines[place.line - 1 : place.end_line]
    chosen[-1] = chosen[-1][: place.end_column]
    chosen[0] = chosen[0][place.column :]
    return "".join(chosen)


def pieces(story):
    """The texts of all results and leaves, but for the constants of formulas."""
    return [piece(story, node.place) for node in story.nodes if not node.constant]


def by_span(text):
    """The operators and calls of a text, by their place in letters."""
    lines, found = text.splitlines(), {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.AugAssign | ast.Call):
            start = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
            end = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode())
            found.setdefault((node.lineno, start, node.end_lineno, end), node)
    return found


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_node_of_the_lessons_is_one_operator_or_call_of_the_text(file):
    before = set(TABLE)
    with contextlib.redirect_stdout(io.StringIO()), chainrule.recording(passes=1000, nodes=100_000) as story:
        runpy.run_path(str(file), run_name="__main__")
    for name in set(TABLE) - before:  # a lesson defines one
        forget(name)
    text = file.read_text(encoding="utf-8")
    spans, counts = by_span(text), Counter()
    for node in story.nodes:
        assert node.place is not None
        _, *span = node.place
        made_by = spans[tuple(span)]
        if isinstance(made_by, ast.Call):
            counts["call"] += 1
            continue
        counts["operator"] += 1
        symbol = made_by.ops[0] if isinstance(made_by, ast.Compare) else made_by.op
        if node.op >= 0:  # else it is a constant of the formula, or the plain result within no_grad()
            assert story.operations[node.op].name == OPERATORS[type(symbol)]
    assert len(story.nodes) == counts["call"] + counts["operator"] > 0


def test_parts_of_an_expression_over_several_lines():
    story = recorded("""
        from chainrule import Value
        y = (Value(2.0)
             * (Value(3.0) -
                1.0))
        """)
    product = "Value(2.0)\n     * (Value(3.0) -\n        1.0)"
    assert pieces(story) == ["Value(2.0)", "Value(3.0)", "Value(3.0) -\n        1.0", product]
    assert story.nodes[-1].label == "y"


def test_in_place_operators_comprehensions_and_sums():
    story = recorded("""
        from chainrule import Value
        xs = [Value(float(i)) for i in range(1, 3)]
        total = sum(x * x for x in xs)
        total += xs[0]
        """)
    found = [text for text in pieces(story) if "Value" not in text]
    assert found == ["x * x", "sum(x * x for x in xs)", "x * x", "sum(x * x for x in xs)", "total += xs[0]"]


def test_columns_count_letters_where_a_line_has_others_than_those_of_ascii():
    story = recorded('from chainrule import Value\nλ = Value(2.0, label="größe"); η = λ * λ\n')
    assert pieces(story) == ['Value(2.0, label="größe")', "λ * λ"]
    assert [node.label for node in story.nodes] == ["größe", "η"]


def test_a_cell_of_a_notebook_has_its_text():
    story = recorded("from chainrule import Value\nb = Value(3.0) * 2\n", name="<ipython-input-3-abc>")
    assert pieces(story) == ["Value(3.0)", "Value(3.0) * 2"]
    assert story.sources[0].name == "<ipython-input-3-abc>"


def test_without_positions_the_line_is_said():
    code = (
        "import chainrule\nfrom chainrule import Value\nwith chainrule.recording() as story:\n"
        "    y = Value(3.0) * 2\nprint([node.place[1:] for node in story.nodes], story.nodes[2].label)"
    )
    done = subprocess.run(
        [sys.executable, "-X", "no_debug_ranges", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[(4, None, 4, None), (4, None, 4, None), (4, None, 4, None)]"


def test_names_are_those_of_the_source_where_they_stand_for_one_number():
    story = recorded("""
        from chainrule import Value
        a, b = Value(2.0), Value(3.0)
        c: object = a * b
        if (d := c + a) > 0:
            e = d * d
        e = e + 1
        for x in [1.0, 2.0]:
            f = a * x
        labelled = Value(1.0, label="own")
        """)
    names = [node.label for node in story.nodes if not node.constant and node.op >= 0]
    assert names == ["c", "d", "", "", "", "", ""]  # gt; e twice; f in a loop, twice
    assert [node.label for node in story.nodes if node.op < 0 and not node.constant] == ["a", "b", "own"]


def test_a_name_for_a_call_is_that_of_its_result_alone():
    story = recorded("""
        from chainrule import Value
        from chainrule.nn import Neuron
        neuron = Neuron(2)
        y = neuron([1.0, 2.0])
        y.backward()
        """)
    assert [node.label for node in story.nodes if node.op >= 0] == ["", "y"]
    assert {"w.0", "w.1", "b"} <= {node.label for node in story.nodes}


def test_files_are_named_from_the_working_folder_and_never_by_an_absolute_path(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    program = tmp_path / "inside" / "program.py"
    program.write_text("from chainrule import Value\ny = Value(2.0) * 3\n")
    monkeypatch.chdir(tmp_path)
    names = []
    for folder in (tmp_path, tmp_path / "inside", Path(os.sep)):
        monkeypatch.chdir(folder)
        with chainrule.recording() as story:
            runpy.run_path(str(program))
        names += [source.name for source in story.sources]
    assert names[:2] == ["inside/program.py", "program.py"]
    assert not any(Path(name).is_absolute() for name in names)


def test_a_file_that_changed_meanwhile_has_no_text(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from chainrule import Value\ndef f(): return Value(2.0) * 3\n")
    functions = runpy.run_path(str(program))
    program.write_text("from chainrule import Value\n\ndef f(): return Value(2.0) - 3\n")
    linecache.checkcache(str(program))
    with chainrule.recording() as story:
        functions["f"]()
    assert story.sources[0].text is None
    assert "changed" in story.sources[0].why
    assert story.nodes[0].place[1:] == (2, None, 2, None)


def test_of_a_long_text_the_part_around_is_kept():
    lines = ["pass\n"] * (3 * WHOLE) + ["y = Value(2.0) * 3\n"] + ["pass\n"] * WHOLE
    story = recorded("from chainrule import Value\n" + "".join(lines))
    source = story.sources[0]
    assert source.first == 3 * WHOLE + 2 - AROUND
    assert source.text.splitlines()[AROUND] == "y = Value(2.0) * 3"


def test_the_text_can_be_left_out():
    story = recorded("from chainrule import Value\ny = Value(2.0) * 3\n", source=False)
    assert [(source.text, source.why) for source in story.sources] == [(None, "it was left out")]
    assert story.nodes[0].place is not None
