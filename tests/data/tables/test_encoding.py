"""Tasks and encoders: columns told apart, classes found, numbers standardised, mistakes named, configs kept."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import split_indices
from chainrule.data.tables import Encoder, NumberColumn, Table, Task, TextColumn, read_csv
from chainrule.errors import ArgumentError, DataError, SavedFileError, SizeError

IRIS = Path(__file__).parents[3] / "examples" / "data" / "iris.csv"


def make(text: str) -> Table:
    """A table from rows of `cell/cell/…` with spaces between the rows; the first row is the header."""
    columns, *rows = [tuple(line.split("/")) for line in text.split()]
    return Table("t.csv", columns, tuple(rows), tuple(range(2, 2 + len(rows))), has_header=True)


def refusal(text: str, **options) -> str:
    with pytest.raises(DataError) as caught:
        Task.from_table(make(text), **options)
    message = str(caught.value)
    assert "\n" not in message
    assert "t.csv" in message
    return message


def fitted(text: str, **options) -> tuple[Table, Encoder]:
    table = make(text)
    return table, Encoder.fit(table, Task.from_table(table, **options))


def test_iris():
    table = read_csv(IRIS)
    task = Task.from_table(table)
    assert (len(table), len(task.inputs), task.target, task.notes) == (150, 4, "species", ())
    train, held = split_indices(task.targets(table))
    assert (len(train), len(held)) == (120, 30)
    encoder = Encoder.fit(table, task, train)
    assert encoder.classes == ("setosa", "versicolor", "virginica")
    assert encoder.features == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    rows, labels = encoder.encode(table, held)
    assert len(rows) == 30
    assert {len(row) for row in rows} == {4}
    assert [labels.count(label) for label in range(3)] == [10, 10, 10]
    assert encoder.notes(table) == []
    other = Task.from_table(table, "petal_width")
    assert other.goal == "regression"
    assert other.inputs["species"] == "text"


NUMBERS = st.floats(-1e9, 1e9).map(lambda x: round(x, 6))


@given(
    numbers=st.lists(NUMBERS, min_size=2, max_size=40),
    shares=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_training_rows_are_standardised_and_others_have_no_say(numbers, shares):
    table = Table(
        "t.csv", ("x", "y"), tuple((repr(x), "ab"[i % 2]) for i, x in enumerate(numbers)), (0,) * len(numbers), True
    )
    train = [i for i in range(len(numbers)) if shares[i]] or [0]
    column = NumberColumn.fit(table, "x", "number", train)
    z = column.standardise(table, train)
    if len({numbers[i] for i in train}) == 1:
        assert z == [0.0] * len(train)
    else:
        assert math.fsum(z) / len(z) == pytest.approx(0.0, abs=1e-6)
        assert math.sqrt(math.fsum(value**2 for value in z) / len(z)) == pytest.approx(1.0)
        decoded = [column.decode(value) for value in z]
        assert decoded == pytest.approx([numbers[i] for i in train], rel=1e-9, abs=1e-6)
    changed = tuple((x, y) if i in train else ("777", y) for i, (x, y) in enumerate(table.rows))
    assert NumberColumn.fit(Table("t.csv", ("x", "y"), changed, table.lines, True), "x", "number", train) == column


@pytest.mark.parametrize("numbers", [["1e308", "-1e308"], ["1e-320", "3e-320"], ["1e200", "1e-200"]])
def test_extreme_numbers_are_standardised(numbers):
    table = make("x/y " + " ".join(f"{x}/a" for x in numbers))
    z = NumberColumn.fit(table, "x", "number", [0, 1]).standardise(table)
    assert sorted(z) == pytest.approx([-1, 1], rel=1e-3)


def test_columns_of_each_kind():
    table, encoder = fitted("n/flag/colour/y 1/true/red/a 3/False/blue/b NA/?/?/a 5/TRUE/red/b")
    assert [column.kind for column in encoder.inputs] == ["number", "bool", "text"]
    assert encoder.features == ["n", "flag", "colour=(missing)", "colour=blue", "colour=red"]
    scale, spread = math.sqrt(8 / 3), math.sqrt(2) / 3
    rows, labels = encoder.encode(table)
    assert labels == [0, 1, 0, 1]
    assert rows[0] == pytest.approx([-2 / scale, 1 / 3 / spread, 0, 0, 1])
    assert rows[1] == pytest.approx([0, -2 / 3 / spread, 0, 1, 0])
    assert rows[2] == [0, 0, 1, 0, 0]
    assert encoder.notes(table) == [
        "t.csv, column 'n': 1 missing, filled with the mean 3 (line 4)",
        "t.csv, column 'flag': 1 missing, filled with the mean 0.666667 (line 4)",
        "t.csv, column 'colour': 1 missing, a category of their own (line 4)",
    ]


def test_columns_that_taught_nothing_say_nothing():
    table = make("x/c/y 4/red/a 4/red/b 9/blue/a 9/blue/b")
    encoder = Encoder.fit(table, Task.from_table(table), rows=[0, 1])
    assert encoder.encode_inputs(table) == [[0, 1], [0, 1], [0, 0], [0, 0]]
    assert encoder.notes(table, [2, 3]) == [
        "t.csv, column 'x' is the same in all training rows, so it is read as 0",
        "t.csv, column 'c': not in the training rows, so all 0: line 4 ('blue'), line 5 ('blue')",
    ]
    empty = make("x/y ?/a ?/b 9/a 9/b")
    assert Encoder.fit(empty, Task.from_table(empty), rows=[0, 1]).encode_inputs(empty) == [[0], [0], [0], [0]]


def test_empty_columns_are_left_out_even_at_the_end():
    table = make("x/e/y/column_4 1/?/a/? 2/na/b/? 3/?/b/? 4/?/a/?")
    task = Task.from_table(table)
    assert (task.target, list(task.inputs)) == ("y", ["x"])
    assert [note.split("'")[1] for note in task.notes] == ["e", "column_4"]


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ("b a b a", ("a", "b")),
        ("10 9 10 9.0", ("9", "10")),
        ("0 1 -0 1.0", ("0", "1")),
        ("True false TRUE False", ("false", "true")),
        ("1 x 1 x", ("1", "x")),
        ("1 2 3 4", None),
        ("0.5 1.5 0.5 1.5", None),
    ],
)
def test_classes_are_found(cells, classes):
    table, encoder = fitted("x/y " + " ".join(f"{place}/{cell}" for place, cell in enumerate(cells.split())))
    assert encoder.classes == classes
    if classes:
        assert set(encoder.encode(table)[1]) == {0, 1}


def test_many_whole_numbers_are_a_quantity():
    def goal(values: int) -> str:
        return Task.from_table(make("x/y " + " ".join(f"1/{i % values}" for i in range(100)))).goal

    assert goal(20) == "classification"
    assert goal(21) == "regression"


def test_goal_can_be_chosen():
    text = "x/y 1/0.5 2/1.5 3/0.5"
    assert fitted(text, goal="classification")[1].classes == ("0.5", "1.5")
    assert fitted("x/y 1/0 2/1 3/0 4/1", goal="regression")[1].classes is None
    assert "holds text, and regression needs numbers" in refusal("x/y 1/a 2/b 3/b", goal="regression")
    with pytest.raises(ArgumentError, match="goal must be 'classification' or 'regression', not 'guess'"):
        Task.from_table(make(text), goal="guess")


def test_regression_target_has_a_way_back():
    table, encoder = fitted("x/y 1/10.5 2/20 3/60.25")
    _, targets = encoder.encode(table)
    assert math.fsum(targets) == pytest.approx(0)
    assert math.fsum(z * z for z in targets) / 3 == pytest.approx(1)
    assert [encoder.decode(z) for z in targets] == pytest.approx([10.5, 20, 60.25])
    assert Task.from_table(table).targets(table) == [10.5, 20, 60.25]
    with pytest.raises(SizeError, match="2 outputs for 'y', which is one number"):
        encoder.decode([1.0, 2.0])


def test_scores_are_decoded():
    _, two = fitted("x/y 1/no 2/yes 3/no")
    assert [two.decode(score) for score in (-0.1, 0.0, 0.1)] == ["no", "no", "yes"]
    assert two.decode([0.2, 0.3]) == "yes"
    _, three = fitted("x/y 1/a 2/b 3/c 4/c")
    assert three.decode([0.0, 5.0, -math.inf]) == "b"
    with pytest.raises(SizeError, match="2 scores for the 3 classes a, b, c"):
        three.decode(0.3)
    with pytest.raises(ArgumentError, match="no class is the likeliest"):
        two.decode(math.nan)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("x/y 1/a 2/b 3/b", {"target": "z"}, "no column 'z'. It has x, y."),
        ("weight/fruit 1/a 2/b 3/b", {"target": "fruits"}, "Did you mean 'fruit'? It has weight, fruit."),
        ("x/y 1/a 2/b 3/b", {"ignore": ["xx"]}, "no column 'xx'"),
        ("x 1 2 3", {}, "no input column beside the target 'x': separate the cells with commas"),
        ("x/y 1/a 2/b 3/b", {"ignore": ["x"]}, "no input column beside the target 'y': keep one"),
        ("x/y 1/a 2/b", {"ignore": ["x", "y"]}, "no column that holds anything"),
        ("x/y 1/a 2/ 3/nan 4/b 5/b", {}, "column 'y' is the target, but is missing in lines 3, 4"),
        ("x/y 1/? 2/?", {"target": "y"}, "column 'y' is the target, but is missing in lines 2, 3"),
        ("x/y 1/0.5 2/nan 3/2.5", {}, "column 'y' is the target, but is missing in line 3"),
        ("x/y 1/a 2/a 3/a", {}, "column 'y' has one class only ('a')"),
        ("x/y 1/7 2/7 3/7", {}, "column 'y' has one class only ('7')"),
        ("x/y 1/0.5 2/0.5 3/0.5", {}, "column 'y' is 0.5 in every row"),
        ("x/y 1/a 2/b 3/c", {}, "column 'y' has a class of its own for each of the 3 rows"),
        ("x/y 1/a inf/b 3/b -Infinity/a", {}, "column 'x' has a number that is not finite: line 3 ('inf'), line 5"),
        ("x/y 1/a 1e999/b 3/b", {}, "not finite: line 3 ('1e999')"),
        ("x/y 1/0.5 2/inf 3/2.5", {}, "column 'y' has a number that is not finite: line 3 ('inf')"),
        ("x/y 1,5/a 2/b 3,25/b", {}, "column 'x' writes numbers with a comma (line 2: '1,5')"),
        ("x/y 1.234,56/a 2/b 3/b", {}, "column 'x' writes numbers with a comma (line 2: '1.234,56')"),
        ("x/y " + "1/a 2/b " * 10 + "l2/a", {}, "column 'x' holds numbers, but not in line 22 ('l2')"),
        ("x/y " + "1/0.5 2/1.5 " * 10 + "3/o.5", {}, "column 'y' holds numbers, but not in line 22 ('o.5')"),
    ],
)
def test_unusable_tables_are_refused(text, options, words):
    assert words in refusal(text, **options)


def test_target_cannot_be_ignored():
    with pytest.raises(ArgumentError, match="column 'y' cannot be both the target and ignored"):
        Task.from_table(make("x/y 1/a 2/b 3/b"), target="y", ignore=["y"])


def test_remarks_on_doubtful_columns():
    mixed = Task.from_table(make("doors/y 2/a 4/b more/b 4/a"))
    assert mixed.inputs == {"doors": "text"}
    assert mixed.notes == ("t.csv, column 'doors' mixes numbers and text (line 4: 'more') and is read as text",)
    many = Task.from_table(make("x/y " + " ".join(f"{i}/n{i % 30}" for i in range(60))[: -len(" 59/n29")]))
    assert [note for note in many.notes if "different texts" in note] == []  # said of inputs, not of classes
    rare = Task.from_table(make("x/y 1/a 2/a 3/b"))
    assert rare.notes == ("t.csv, column 'y': the class 'b' has one row only, which is never held out",)


def test_columns_are_matched_by_name():
    table, encoder = fitted("x/c/y 1/red/a 2/blue/b 3/red/b")
    shuffled = make("y/extra/c/x b/0/red/3 a/0/red/1 b/0/blue/2")
    assert encoder.encode_inputs(shuffled, [1, 2, 0]) == encoder.encode_inputs(table)
    assert encoder.encode(shuffled, iter([1, 2, 0])) == encoder.encode(table)
    without_target = make("c/x red/1 blue/2 red/3")
    assert encoder.encode_inputs(without_target) == encoder.encode_inputs(table)
    with pytest.raises(DataError, match="no column 'y'"):
        encoder.encode(without_target)


def test_bad_rows_of_a_new_file_are_named():
    _, encoder = fitted("x/flag/y 1/true/a 2/false/b 3/true/b")
    for text, words in [
        ("y/z a/1", r"lacks the columns x, flag that the model needs; it has y, z\."),
        ("x/flag 1/true two/true", r"column 'x' needs a number in each cell, but has line 3 \('two'\)"),
        ("x/flag 1/1", r"column 'flag' needs true or false in each cell, but has line 2 \('1'\)"),
        ("x/flag inf/true", r"column 'x' has a number that is not finite: line 2 \('inf'\)"),
    ]:
        with pytest.raises(DataError, match=words):
            encoder.encode_inputs(make(text))
    with pytest.raises(DataError, match=r"column 'y' is none of the classes a, b in line 2 \('c'\)"):
        encoder.encode(make("x/flag/y 1/true/c"))
    headless = Table("t.csv", ("column_1",), (("1",),), (1,), has_header=False)
    with pytest.raises(DataError, match="Its first row seems to name no columns"):
        encoder.notes(headless)


def test_numbers_far_beyond_the_training_rows_are_refused():
    _, encoder = fitted("x/y 1e-300/a 2e-300/b 3e-300/b")
    with pytest.raises(DataError, match=r"column 'x' is far beyond .* line 2 \('1e300'\)"):
        encoder.encode_inputs(make("x 1e300"))


def test_no_training_rows():
    table = make("x/y 1/a 2/b 3/b")
    with pytest.raises(DataError, match="no training rows"):
        Encoder.fit(table, Task.from_table(table), rows=[])


EXAMPLES = [
    "n/flag/colour/y 1/true/red/a 3/False/blue/b NA/?/?/a 5/TRUE/red/b",
    "x/y 1/10 2/9 3/10 4/9",
    "x/y 0.1/0.3 0.2/1e-30 0.7/1e300",
    "x/y 1/true 2/false 3/true",
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_config_brings_back_the_same_encoder(text):
    table, encoder = fitted(text)
    restored = Encoder.from_config(json.loads(json.dumps(encoder.to_config())))
    assert restored == encoder
    assert restored.encode(table) == encoder.encode(table)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (["inputs"], [], "inputs must be a list of one column or more"),
        (["inputs"], None, "inputs must be a list"),
        (["extra"], 1, "must have inputs and target, and nothing else"),
        (["inputs", 0], "x", r"inputs\[0\] must have kind, mean, name, scale, but has str"),
        (["inputs", 0, "mean"], math.nan, r"inputs\[0\]: mean must be a finite number, not nan"),
        (["inputs", 0, "mean"], 10**400, "mean must be a finite number"),
        (["inputs", 0, "mean"], "3", "mean must be a finite number, not '3'"),
        (["inputs", 0, "scale"], -1.0, "scale cannot be negative"),
        (["inputs", 0, "scale"], True, "scale must be a finite number, not True"),
        (["inputs", 0, "kind"], "complex", "kind 'complex' is none of"),
        (["inputs", 0, "kind"], ["text"], "kind must be text"),
        (["inputs", 0, "name"], 3, "name must be text, not 3"),
        (["inputs", 0, "name"], "y", "columns y, c, y are not all different"),
        (["inputs", 0, "unit"], "cm", r"inputs\[0\] must have .*, but has .*unit"),
        (["inputs", 1, "categories"], "red", "categories must be a list of texts"),
        (["inputs", 1, "categories"], ["red", 1], "categories must be a list of texts"),
        (["inputs", 1, "categories"], ["red", "red"], "categories must be 0 or more different texts"),
        (["target"], None, "target must have kind, mean, name, scale, but has NoneType"),
        (["target", "classes"], ["a"], "classes must be 2 or more different texts"),
        (["target", "kind"], "colour", "target: kind 'colour' is none of"),
        (["target", "kind"], "number", "classes a, b are not all of kind number"),
    ],
)
def test_damaged_configs_are_refused(place, value, words):
    _, encoder = fitted("x/c/y 1/red/a 2/blue/b 3/red/b")
    config = copy.deepcopy(encoder.to_config())
    *outer, last = place
    inner = config
    for step in outer:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(SavedFileError, match=words):
        Encoder.from_config(config)


@given(seed=st.integers(0, 10**6))
def test_configs_with_anything_lost_are_refused(seed):
    _, encoder = fitted(EXAMPLES[seed % len(EXAMPLES)])
    config = encoder.to_config()
    rng = random.Random(seed)
    part = rng.choice([config, config["target"], *config["inputs"]])
    del part[rng.choice(list(part))]
    with pytest.raises(SavedFileError):
        Encoder.from_config(config)


@pytest.mark.parametrize("config", [None, 3, "encoder", [], {}])
def test_foreign_configs_are_refused(config):
    with pytest.raises(SavedFileError, match="must have inputs and target"):
        Encoder.from_config(config)


@given(cells=st.lists(st.sampled_from(["", "?", "red", "blue", "green"]), min_size=1, max_size=20))
def test_one_hot_rows_sum_to_one_on_training_rows(cells):
    table = Table("t.csv", ("c",), tuple((cell,) for cell in cells), tuple(range(len(cells))), True)
    column = TextColumn.fit(table, "c", range(len(cells)))
    assert list(column.categories) == sorted(column.categories)
    rows = column.encode(table)
    assert all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] for row in rows)
    for cell, row in zip(cells, rows, strict=True):
        assert column.categories[row.index(1.0)] == ("" if cell in ("", "?") else cell)
