"""The tables of pandas and polars: Series and DataFrames in place of lists and arrays."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import Value, grad, losses, nn, optim
from chainrule.errors import OperandError
from chainrule.training import evaluate, fit

np = pytest.importorskip("numpy")

COLUMNS = {"age": [1.0, 2.0, 3.0], "rooms": [4, 5, 6]}
ROWS = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


@pytest.fixture
def table(library):
    return library.DataFrame(COLUMNS)


@pytest.fixture
def with_text(library):
    return library.DataFrame({**COLUMNS, "city": ["Ulm", "Bonn", "Kiel"]})


def squares(x):
    return (x * x).sum()


def test_derivatives_by_tables_are_arrays(table):
    assert grad(squares)(table["age"]).tolist() == [2.0, 4.0, 6.0]
    assert grad(squares)(table).tolist() == [[2.0, 8.0], [4.0, 10.0], [6.0, 12.0]]
    assert grad(squares)({"x": table["rooms"]}["x"]).tolist() == [8.0, 10.0, 12.0]
    assert chainrule.check_gradients(squares, [table["age"]]).ok


def test_compiled_functions_take_tables(table):
    pytest.importorskip("llvmlite")
    compiled = chainrule.compile(squares)
    assert compiled.grad(table).tolist() == [[2.0, 8.0], [4.0, 10.0], [6.0, 12.0]]
    assert compiled(table) == compiled(table.to_numpy()) == 91.0
    assert compiled.traces == 1
    by_row = chainrule.compile(lambda row, w: row @ w, in_axes=(0, None))
    assert by_row(table, np.array([1.0, 10.0])).tolist() == [41.0, 52.0, 63.0]


def test_other_arguments_stay_what_they_are(with_text):
    assert grad(lambda w, table: w * len(table["city"][0]))(2.0, with_text) == 3.0


def test_models_take_tables(table, with_text):
    model = nn.MLP(2, [2, 1], seed=1)
    assert [y.data for y in model(table)] == [y.data for y in model(ROWS)]
    assert model(table["age"][:2]).data == model([1.0, 2.0]).data
    with pytest.raises(OperandError, match=r"the column 'city' of a DataFrame holds 'Ulm'.*df\.drop"):
        model(with_text)


@pytest.mark.parametrize("compile", [False, True])
def test_fit_takes_tables(table, with_text, compile):
    if compile:
        pytest.importorskip("llvmlite")
    found = []
    for X, y in ((table, table["age"]), (table, table[["age"]]), (ROWS, [1.0, 2.0, 3.0])):
        model = nn.MLP(2, [2, 1], seed=1)
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        fit(model, X, y, loss="mean_squared_error", optimizer=optimizer, epochs=3, validation=(X, y), compile=compile)
        found.append((model.state_dict(), evaluate(model, X, y, loss="mean_squared_error")))
    assert found[0] == found[1] == found[2]
    with pytest.raises(OperandError, match="the column 'city' of a DataFrame holds 'Ulm'"):
        fit(model, with_text, table["age"], loss="mean_squared_error")
    with pytest.raises(OperandError, match="'city' holds 'Ulm', which is no number"):
        fit(model, table, with_text["city"], loss="mean_squared_error")


def test_operations_of_the_table_go_through_tables(table):
    assert chainrule.relu(table["age"]).tolist() == [1.0, 2.0, 3.0]
    assert losses.mean_squared_error([Value(1.0)] * 3, table["age"]).data == pytest.approx(5 / 3)


def test_operators_with_a_value_are_those_of_pandas():
    table = pytest.importorskip("pandas").DataFrame(COLUMNS)
    v = Value(2.0)
    for found in (v * table["age"], table["age"] * v):
        assert [x.data for x in found] == [2.0, 4.0, 6.0]
    assert [x.data for x in (table * v)["rooms"]] == [8.0, 10.0, 12.0]


def test_what_is_missing_is_named():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0], "b": pandas.array([1, None], dtype="Int64")})
    with pytest.raises(OperandError, match=r"DataFrame holds <NA>, which is no number"):
        grad(squares)(table)
    with pytest.raises(OperandError, match=r"the Series 'day' holds .*, which is no number"):
        grad(squares)(pandas.Series(pandas.to_datetime(["2020-01-01"]), name="day"))
