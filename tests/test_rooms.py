"""Modules import downwards only: the table of rooms, held against the imports that stand in the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

TABLE_OF_OPERATIONS = {"errors", "operation", "ops"}
ENGINE = TABLE_OF_OPERATIONS | {"modes", "engine"}
BUILD = {"interpreted", "storage"}
TRANSFORMS = ENGINE | {"trees", "transforms"}
NETS = {"nn", "losses", "optim"}
TABLES_AND_FILES = {"data", "tables", "files", "saving", "schema"}
ANYTHING = None

MAY_IMPORT: dict[str, set[str] | None] = {
    "builds": set(),
    "interpreted": set(),
    "errors": set(),
    "forks": set(),
    "pickling": {"modes", "errors"},
    "collector": set(),
    "operation": {"errors"},
    "packing": {"errors"},
    "ops": {"errors", "operation", "packing"},
    "modes": {"errors", "forks"},
    "stale": {"errors", "modes"},
    "membership": set(),
    "trees": {"errors"},
    "storage": TABLE_OF_OPERATIONS | {"stale"},
    "engine": TABLE_OF_OPERATIONS | BUILD | {"forks", "membership", "modes", "stale", "pickling"},
    "leaves": ENGINE | {"interpreted", "stale"},
    "transforms": ENGINE | {"trees"},
    "notation": TABLE_OF_OPERATIONS,
    "wording": ENGINE | {"notation"},
    "differences": TRANSFORMS,
    "gradient_report": TRANSFORMS | {"notation", "wording", "differences"},
    "check": TRANSFORMS | {"notation", "wording", "differences", "gradient_report"},
    "explain": TRANSFORMS | {"notation", "wording"},
    "grammar": {"errors", "operation"},
    "expression": TABLE_OF_OPERATIONS | {"engine", "grammar"},
    "draw": TABLE_OF_OPERATIONS | {"files"},
    "nn": ENGINE | {"interpreted"},
    "losses": ENGINE | {"trees"},
    "optim": ENGINE,
    "data": {"errors", "files"},
    "tables": {"errors", "files"},
    "files": {"errors"},
    "schema": {"errors"},
    "saving": {"errors", "files", "nn", "schema"},
    "compiler": TRANSFORMS | {"nn", "optim", "leaves", "collector", "forks"},
    "training": TRANSFORMS | NETS | TABLES_AND_FILES | {"collector", "compiler"},
    "plots": ANYTHING,
    "bridges": ANYTHING,
    "cli": ANYTHING,
    "__init__": ANYTHING,
    "__main__": ANYTHING,
}
"""Room (a module, or a folder of them) to the rooms that it may import beside itself. A new room needs a line here."""

LIBRARIES = {"compiler": {"llvmlite", "numpy"}, "training/compiled.py": {"numpy"}}
"""What a room, or a file, may import from outside the standard library: it is itself imported only when somebody asks
for it."""


def room_of(file):
    return file.relative_to(SOURCE).with_suffix("").parts[0]


def module_of(file):
    parts = ("chainrule", *file.relative_to(SOURCE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(node, file):
    """The modules that an import statement names, as tuples of their parts."""
    if isinstance(node, ast.Import):
        return [tuple(alias.name.split(".")) for alias in node.names]
    package = module_of(file) if file.name == "__init__.py" else module_of(file)[:-1]
    above = package[: len(package) - node.level + 1] if node.level else ()
    base = above + tuple((node.module or "").split(".") if node.module else ())
    return [(*base, alias.name) for alias in node.names]


def imports(file):
    """(line, module, whether inside a function) of each import in a file."""
    found = []

    def visit(node, in_function):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                found.extend((child.lineno, module, in_function) for module in imported(child, file))
            visit(child, in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    visit(ast.parse(file.read_text(encoding="utf-8")), False)
    return found


def rooms_imported(file):
    """(line, room) for each import of chainrule's own; the names that the package itself offers count as `__init__`."""
    rooms = {room_of(other) for other in FILES}
    own = [(line, module[1:2]) for line, module, _ in imports(file) if module[0] == "chainrule"]
    return dict.fromkeys((line, room[0] if room and room[0] in rooms else "__init__") for line, room in own)


def named(file):
    return str(file.relative_to(SOURCE))


each_file = pytest.mark.parametrize("file", FILES, ids=named)


@each_file
def test_a_module_imports_only_the_rooms_below_it(file):
    room = room_of(file)
    assert room in MAY_IMPORT, f"{room} is a new room: say in MAY_IMPORT what it may import"
    allowed = MAY_IMPORT[room]
    if allowed is not ANYTHING:
        wrong = [(line, other) for line, other in rooms_imported(file) if other not in {room, *allowed}]
        assert not wrong, f"{named(file)} may import {sorted(allowed)} only: {wrong}"


@each_file
def test_no_import_hides_in_a_function_to_dodge_a_cycle(file):
    if room_of(file) != "cli":
        hidden = [f"line {line}" for line, module, inside in imports(file) if inside and module[0] == "chainrule"]
        assert not hidden, f"{named(file)} imports chainrule inside a function: {hidden}"


@each_file
def test_other_libraries_are_imported_only_where_they_are_used(file):
    own = {*sys.stdlib_module_names, "chainrule", "cython"}  # cython: where it is named, the compiler alone reads on
    own |= LIBRARIES.get(room_of(file), set()) | LIBRARIES.get(file.relative_to(SOURCE).as_posix(), set())
    outside = [(line, module[0]) for line, module, inside in imports(file) if not (inside or module[0] in own)]
    assert not outside, f"{named(file)} needs more than the standard library at import: {outside}"


def test_the_table_itself_goes_downwards():
    above = set()

    def go_up(room, path):
        assert room not in path, f"a circle of rooms: {[*path, room]}"
        if room not in above:
            for below in MAY_IMPORT[room] or ():
                go_up(below, [*path, room])
            above.add(room)

    for room in MAY_IMPORT:
        go_up(room, [])


def test_import_loads_nothing_outside_the_standard_library():
    code = "import sys; before = set(sys.modules); import chainrule; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "chainrule" in loaded
    left_by_extension_modules = {name for name in loaded if name.startswith(("_cython_", "cython_runtime"))}
    assert loaded - left_by_extension_modules <= {*sys.stdlib_module_names, "chainrule"}


def test_the_reader_of_imports_sees_every_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    file = tmp_path / "nn" / "layers.py"
    file.parent.mkdir()
    file.write_text(
        "import chainrule.engine as e\nfrom chainrule import ops\nfrom chainrule.modes import modes\n"
        "from . import module\nfrom ..errors import SizeError\nfrom .. import stale\n"
        "def f():\n    import numpy.linalg\n    from chainrule.trees import leaves\n"
    )
    assert imports(file) == [
        (1, ("chainrule", "engine"), False),
        (2, ("chainrule", "ops"), False),
        (3, ("chainrule", "modes", "modes"), False),
        (4, ("chainrule", "nn", "module"), False),
        (5, ("chainrule", "errors", "SizeError"), False),
        (6, ("chainrule", "stale"), False),
        (8, ("numpy", "linalg"), True),
        (9, ("chainrule", "trees", "leaves"), True),
    ]
