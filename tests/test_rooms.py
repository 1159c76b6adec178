"""Modules import downwards only: the table of rooms, held against the imports that stand in the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent
COURSE = SOURCE / "learn" / "course"
"""Exercises are data, mistakes included."""


def modules_in(folder):
    """The modules below a folder."""
    return sorted(file for file in folder.rglob("*.py") if not file.is_relative_to(COURSE))


FILES = modules_in(SOURCE)

ENGINE = {"errors", "core", "ops", "storage", "engine"}
ANYTHING = None

MAY_IMPORT: dict[str, set[str] | None] = {
    "errors": set(),
    "reading": set(),
    "core": {"errors", "reading"},
    "ops": {"errors", "core"},
    "storage": {"errors", "core", "ops"},
    "engine": ENGINE,
    "transforms": ENGINE,
    "nn": ENGINE,
    "losses": ENGINE,
    "optim": ENGINE,
    "explain": ENGINE | {"transforms"},
    "check": ENGINE | {"transforms", "explain"},
    "expression": ENGINE,
    "draw": {"errors", "core", "ops"},
    "data": ENGINE,
    "saving": {"errors", "core", "nn"},
    "compiler": ENGINE | {"transforms", "nn", "optim", "reading"},
    "training": ENGINE | {"transforms", "nn", "losses", "optim", "data", "saving", "compiler"},
    "see": ENGINE
    | {"reading", "transforms", "nn", "losses", "optim", "explain", "expression", "draw", "data", "saving", "training"},
    "learn": ENGINE | {"see"},
    "plots": ANYTHING,
    "bridges": ANYTHING,
    "cli": ANYTHING,
    "__init__": ANYTHING,
    "__main__": ANYTHING,
}
"""Room (a module, or a folder of them) to the rooms that it may import beside itself. A new room needs a line here."""

CODE = {"native", "graph", "lowering"}
KERNELS = CODE | {"loops", "levels", "pipeline"}
CALLS = KERNELS | {"trace", "reports", "calling"}

IN_THE_COMPILER: dict[str, set[str] | None] = {
    "__init__": set(),
    "native": set(),
    "graph": set(),
    "trace": {"graph"},
    "lowering": {"native"},
    "loops": CODE,
    "levels": CODE,
    "pipeline": KERNELS,
    "reports": KERNELS | {"trace"},
    "calling": CALLS,
    "compiled": CALLS,
    "steps": CALLS,
}
IN_LOOPS: dict[str, set[str] | None] = {
    "__init__": set(),
    "program": set(),
    "interpret": {"program"},
    "rerolling": {"program"},
    "codegen": {"program"},
}
TABLES = {"": MAY_IMPORT, "compiler": IN_THE_COMPILER, "compiler/loops": IN_LOOPS}
"""Rooms within rooms: a folder to what each of its modules and folders may import of the others."""

MOST_ROOMS = {"": 25, "compiler": 12}
LONGEST = 400

LIBRARIES = {
    "compiler": {"llvmlite", "numpy"},
    "training/compiled.py": {"numpy"},
    "training/native_rows.py": {"numpy"},
    "see/terminal.py": {"rich", "textual"},
    "bridges/matplotlib.py": {"matplotlib"},
    "bridges/sklearn.py": {"numpy", "scipy", "sklearn"},
}
"""What a room, or a file, may import from outside the standard library: it is itself imported only when somebody asks
for it."""


def room_of(file, folder=SOURCE):
    return file.relative_to(folder).with_suffix("").parts[0]


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


def rooms_imported(file, folder=SOURCE):
    """(line, room) for each import from this folder; the names that the folder itself offers count as `__init__`."""
    package = ("chainrule", *folder.relative_to(SOURCE).parts)
    rooms = {room_of(other, folder) for other in modules_in(folder)}
    own = [(line, module[len(package) :][:1]) for line, module, _ in imports(file) if module[: len(package)] == package]
    return dict.fromkeys((line, room[0] if room and room[0] in rooms else "__init__") for line, room in own)


def named(file):
    return str(file.relative_to(SOURCE))


each_file = pytest.mark.parametrize("file", FILES, ids=named)
each_folder = pytest.mark.parametrize("folder", TABLES)
IN_FOLDERS = [(folder, file) for folder in TABLES for file in FILES if file.is_relative_to(SOURCE / folder)]


@pytest.mark.parametrize(("folder", "file"), IN_FOLDERS, ids=[f"{folder}:{named(file)}" for folder, file in IN_FOLDERS])
def test_a_module_imports_only_the_rooms_below_it(folder, file):
    room, table = room_of(file, SOURCE / folder), TABLES[folder]
    assert room in table, f"{room} is a new room of {folder or 'chainrule'}: say in its table what it may import"
    allowed = table[room]
    if allowed is not ANYTHING:
        imported = rooms_imported(file, SOURCE / folder)
        wrong = [(line, other) for line, other in imported if other not in {room, *allowed}]
        assert not wrong, f"{named(file)} may import {sorted(allowed)} only: {wrong}"


@pytest.mark.parametrize(("folder", "most"), MOST_ROOMS.items())
def test_the_way_through_is_seen_from_the_door(folder, most):
    """New rooms find a wing, or the wings are drawn anew."""
    assert len({room_of(file, SOURCE / folder) for file in modules_in(SOURCE / folder)}) <= most


@pytest.mark.parametrize("file", [file for file in FILES if file.name == "__init__.py"], ids=named)
def test_a_folder_says_in_one_sentence_what_it_is_for(file):
    first = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").splitlines()
    assert first, f"{named(file)} has no docstring"
    assert first[0].endswith("."), f"{named(file)}: {first[0]}"


@each_file
def test_no_file_is_longer_than_what_is_read_at_once(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST


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


def test_no_modules_need_each_other_in_a_circle():
    """Imports for types count as well: who reads one module would have to know the other before."""
    files = {module_of(file): file for file in FILES}
    graph = {}
    for module, file in files.items():
        needed = {found if found in files else found[:-1] for _, found, _ in imports(file)}
        graph[named(file)] = {named(files[found]) for found in needed if found in files and found != module}
    TopologicalSorter(graph).prepare()


BELOW = {"ops": {"errors", "core", "ops"}, "storage": {"errors", "core", "ops", "storage"}, "engine": ENGINE}
"""What the page of the architecture means by "engine and below" and the like."""


def test_the_page_of_the_architecture_has_the_same_table():
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = page.partition("## Rooms")[2].partition("\n\nIn ")[0].splitlines()
    told: dict[str, set[str] | None] = {"__init__": ANYTHING, "__main__": ANYTHING}
    for rooms, _, below in [row.strip("| ").split(" | ") for row in rows if row.startswith("| `")]:
        names, of_what = below.removesuffix(" and below").split(", "), set[str]()
        for name in names if below != "–" else []:
            of_what |= BELOW[name] if name == names[-1] and below.endswith("and below") else {name}
        for room in rooms.replace("`", "").split(", "):
            told[room.removesuffix("/").removesuffix(".py")] = of_what if below != "anything above" else ANYTHING
    assert {room: below and below - {room} for room, below in told.items()} == {
        room: below and below - {room} for room, below in MAY_IMPORT.items()
    }


@each_folder
def test_the_table_itself_goes_downwards(folder):
    table, above = TABLES[folder], set()

    def go_up(room, path):
        assert room not in path, f"a circle of rooms: {[*path, room]}"
        if room not in above:
            for below in (table[room] or set()) - {room}:
                go_up(below, [*path, room])
            above.add(room)

    for room in table:
        go_up(room, [])


def test_import_loads_nothing_outside_the_standard_library():
    code = "import sys; before = set(sys.modules); import chainrule; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "chainrule" in loaded
    left_by_extension_modules = {name for name in loaded if name.startswith(("_cython_", "cython_runtime"))}
    assert loaded - left_by_extension_modules <= {*sys.stdlib_module_names, "chainrule"}


def test_what_shows_and_compiles_is_imported_when_it_is_asked_for():
    code = "import sys, chainrule; print(*sorted(name for name in sys.modules if name.startswith('chainrule.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split()}
    assert not rooms & {"see", "plots", "compiler", "bridges", "cli"}
    code = "import chainrule; print(chainrule.see(chainrule.Value(2.0)).recording, chainrule.recording.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("<recording of 1 nodes")


# ---- who reads the text of functions ---------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]
PROGRAMS = [
    ROOT / "setup.py",
    *(file for folder in ("building", "tools") for file in sorted((ROOT / folder).rglob("*.py"))),
]

OF_INSPECT = {"getsource", "getsourcelines", "findsource", "getblock", "getlines", "updatecache", "PyCF_ONLY_AST"}
"""What gives the text of a function or a file, or a syntax tree, beside `ast` itself."""

MAY_READ = {
    "learn/exercise.py": {"ast"},  # docstrings of probes and mutants, which are not run for that
    "reading/reader.py": {"ast"},
    "reading/source.py": {"ast", *OF_INSPECT},
    "reading/closures.py": {"ast", "getsource"},
    "reading/assignments.py": {"ast"},
    "expression/grammar.py": {"ast"},
}
"""The one reader of operations, and that of expressions: neither a writer nor the build reads for itself."""


def ways_to_read(text):
    """The words in a program by which it comes to the text of functions, however it spells them."""
    words = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                words |= {alias.name.partition(".")[0] for alias in names} & {"ast", "_ast"}
            case ast.ImportFrom(module=module, names=names):
                words |= {(module or "").partition(".")[0]} & {"ast", "_ast"}
                words |= {alias.name for alias in names} & OF_INSPECT
            case ast.Attribute(attr=word):
                words |= {word} & OF_INSPECT
            case ast.Constant(value=str() as word):
                words |= {word} & {"ast", "_ast", *OF_INSPECT}
    return words


@pytest.mark.parametrize("file", [*FILES, *filter(Path.exists, PROGRAMS)], ids=lambda file: "/".join(file.parts[-2:]))
def test_only_the_reader_and_the_grammar_take_texts_apart(file):
    allowed = MAY_READ.get(named(file), set()) if file.is_relative_to(SOURCE) else set()
    wrong = ways_to_read(file.read_text(encoding="utf-8")) - allowed
    assert not wrong, f"{file} reads texts itself: {wrong}; what the text of an operation says is asked of reading/"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import ast", {"ast"}),
        ("import ast as a", {"ast"}),
        ("from ast import parse as p", {"ast"}),
        ("__import__('ast').parse(x)", {"ast"}),
        ("import importlib\nimportlib.import_module('ast')", {"ast"}),
        ("import inspect\ninspect.getsource(f)", {"getsource"}),
        ("from inspect import findsource as find", {"findsource"}),
        ("import inspect as i\ni.getsourcelines(f)", {"getsourcelines"}),
        ("import inspect\ngetattr(inspect, 'getsource')(f)", {"getsource"}),
        ("from linecache import getlines", {"getlines"}),
        ("compile(x, '', 'eval', __import__('_ast').PyCF_ONLY_AST)", {"_ast", "PyCF_ONLY_AST"}),
        ("import inspect, linecache\ninspect.signature(f), linecache.getline(f, 1), parse(x)", set()),
    ],
)
def test_every_spelling_of_reading_is_seen(program, words):
    assert ways_to_read(program) == words


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
