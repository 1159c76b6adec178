"""What names the rows is no input: numbers of rows, identifiers, texts that are different in nearly each row."""

import csv
import re
import shlex

import pytest

from chainrule.data.tables import Task, read_csv
from chainrule.errors import ArgumentError, DataError

ROWS = 30


@pytest.fixture
def table(tmp_path):
    def write(header, *columns, target=lambda i: "abc"[i // 10]):
        rows = [[str(column(i)) for column in columns] + [target(i)] for i in range(ROWS)]
        path = tmp_path / "t.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([[*header, "y"], *rows])
        return read_csv(path)

    return write


def length(i):
    return f"{(i * 7919) % 101 / 10 + 0.05:.2f}"


def typed(note):
    """The words that a shell makes of what a note tells to type."""
    return shlex.split(re.search(r"\(to [a-z ]+: (.*)\)$", note, re.DOTALL)[1])


INDICES = {
    "pandas writes it without a name": ("", lambda i: i),
    "a part of a frame, shuffled": ("", lambda i: 500 - (i * 7) % ROWS),
    "read and written once more": ("Unnamed: 0", lambda i: i),
    "and once more": ("Unnamed: 0.1", lambda i: i),
    "after reset_index": ("index", lambda i: i),
    "as R writes it": ("rownames", lambda i: i + 1),
    "a database's": ("ID", lambda i: 1000 + 3 * i),
    "in words": ("Row Number", lambda i: i + 1),
    "another name": ("flower", lambda i: i + 1),
    "in floats": ("flower", lambda i: f"{i}.0"),
    "of customers": ("customer_id", lambda i: 7000 + (i * 7) % ROWS),
    "of passengers": ("PassengerId", lambda i: 7000 + (i * 7) % ROWS),
    "in one word": ("customerid", lambda i: 7000 + (i * 7) % ROWS),
    "of accounts": ("account number", lambda i: 7000 + (i * 7) % ROWS),
    "one of which stands there twice": ("order_id", lambda i: 7000 + 2 * min(i, ROWS - 2)),
}


@pytest.mark.parametrize(("name", "numbers"), INDICES.values(), ids=INDICES)
def test_a_row_number_is_left_out_and_the_note_says_so(table, name, numbers):
    task = Task.from_table(table([name, "length"], numbers, length))
    assert list(task.inputs) == ["length"]
    [note] = task.notes
    assert f"column {name or 'column_1'!r}" in note
    assert "is left out" in note
    assert typed(note) == [f"--keep={name or 'column_1'}"]


@pytest.mark.parametrize(("name", "numbers"), INDICES.values(), ids=INDICES)
def test_a_row_number_is_learned_from_if_that_is_asked_for(table, name, numbers):
    rows = table([name, "length"], numbers, length)
    assert list(Task.from_table(rows, keep=[rows.columns[0]]).inputs) == [rows.columns[0], "length"]


INPUTS = {
    "a quantity in whole numbers": ("age", lambda i: (i * 7) % 20),
    "a shuffled quantity that happens to be all different": ("weight", lambda i: 40 + (i * 7) % ROWS),
    "a day of the year": ("day", lambda i: 100 + i),
    "an index with fractions": ("index", lambda i: i + 0.5),
    "a name that only begins like one": ("idle", lambda i: (i * 7) % ROWS),
    "ids that come again": ("id", lambda i: i // 2),
    "a name that ends like one": ("humid", lambda i: 40 + (i * 7) % ROWS),
    "texts that come again": ("city", lambda i: f"city {i % 15}"),
    "a few texts": ("name", lambda i: f"n{i % 20}"),
}

NAMES = {
    "names": ("name", lambda i: f"n{i}"),
    "nearly all different": ("name", lambda i: f"n{i if i % 4 else 0}"),
    "with gaps": ("name", lambda i: f"n{i}" if i % 5 else ""),
    "keys": ("whatever", lambda i: f"{i * 7919:08x}-{'ab'[i % 2]}"),
}


@pytest.mark.parametrize(("name", "texts"), NAMES.values(), ids=NAMES)
def test_a_text_of_nearly_one_value_a_row_is_left_out_and_the_note_says_so(table, name, texts):
    rows = table([name, "length"], texts, length)
    task = Task.from_table(rows)
    assert list(task.inputs) == ["length"]
    [note] = task.notes
    assert re.search(r"has \d+ different texts in \d+ rows and is left out, since they say nothing of other rows", note)
    assert typed(note) == [f"--keep={name}"]
    kept = Task.from_table(rows, keep=[name])
    assert (list(kept.inputs), kept.notes) == ([name, "length"], ())


@pytest.mark.parametrize(("name", "numbers"), INPUTS.values(), ids=INPUTS)
def test_other_columns_are_learned_from(table, name, numbers):
    assert list(Task.from_table(table([name, "length"], numbers, length)).inputs) == [name, "length"]


def test_what_counts_is_learned_from_if_there_is_nothing_else(table):
    assert list(Task.from_table(table(["x"], lambda i: i)).inputs) == ["x"]
    with pytest.raises(
        DataError, match=r"no input column beside the target 'y': keep one; .*'id' has a whole number of its own"
    ):
        Task.from_table(table(["id"], lambda i: i))


@pytest.mark.parametrize("names", [["x", "id"], ["id", "x"], ["id", "x", "time"], ["x", "id", "time"], ["x", "time"]])
def test_what_is_left_out_does_not_depend_on_the_order_of_columns(table, names):
    columns = {"id": lambda i: 1000 + 3 * i, "x": lambda i: i, "time": lambda i: i + 1}
    inputs = list(Task.from_table(table(names, *[columns[name] for name in names])).inputs)
    assert inputs == [name for name in names if name != "id"]


ODD = [
    'row\'s "no"',
    "a\\b",
    "-x",
    "--keep",
    "it's $HOME",
    "`ls`",
    "a b",
    "[1]",
    '{"a": 1}',
    "a,b",
    "a=b",
    "é",
    "!!",
    "a\nb",
]


@pytest.mark.parametrize("name", ODD)
def test_what_a_note_tells_to_type_names_the_column_whatever_it_is_called(table, name):
    [note] = Task.from_table(table([name, "length"], lambda i: i, length)).notes
    assert typed(note) == [f"--keep={name}"]
    [note] = Task.from_table(table([name, "length"], lambda i: 1900 + 2 * i, length)).notes
    assert typed(note) == [f"--ignore={name}"]


def test_a_target_may_count_the_rows(table):
    task = Task.from_table(table(["length"], length, target=str), goal="regression")
    assert (task.target, list(task.inputs)) == ("y", ["length"])


def test_what_rises_in_a_file_sorted_by_class_is_remarked_on(table):
    rising = table(["year", "length"], lambda i: 1900 + 2 * i, length)
    [note] = Task.from_table(rising).notes
    assert "column 'year' rises or falls from row to row" in note
    assert typed(note) == ["--ignore=year"]
    assert Task.from_table(rising, ignore=["year"]).notes == ()
    mixed = table(["year", "length"], lambda i: 1900 + 2 * i, length, target=lambda i: "abc"[i % 3])
    assert Task.from_table(mixed).notes == ()


def test_a_column_is_kept_or_ignored(table):
    rows = table(["id", "length"], lambda i: i, length)
    with pytest.raises(ArgumentError, match="'id' cannot be both kept and ignored"):
        Task.from_table(rows, keep=["id"], ignore=["id"])
    with pytest.raises(DataError, match="no column 'ident'"):
        Task.from_table(rows, keep=["ident"])
