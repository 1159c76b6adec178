"""Parquet files are tables like others, where pyarrow is installed."""

from __future__ import annotations

import datetime
import sys

import pytest

from chainrule.data.tables import read_parquet
from chainrule.errors import DataError, MissingExtraError


@pytest.fixture
def write(tmp_path):
    """Writes columns to a Parquet file and returns its path."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def to_disk(**columns):
        path = tmp_path / "t.parquet"
        parquet.write_table(arrow.table(columns), path)
        return path

    return to_disk


def test_cells_are_those_of_a_csv_file(write):
    day, time = datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 12, 30)
    table = read_parquet(
        write(n=[1, None], x=[0.5, float("nan")], b=[True, False], t=[" a ", None], d=[day] * 2, h=[time] * 2)
    )
    assert table.columns == ("n", "x", "b", "t", "d", "h")
    assert table.rows == (
        ("1", "0.5", "true", "a", "2024-01-31", "2024-01-31T12:30:00"),
        ("", "", "false", "", "2024-01-31", "2024-01-31T12:30:00"),
    )
    assert table.lines == (1, 2)


def test_lists_in_cells_are_refused(write):
    with pytest.raises(DataError, match="column 'x' holds a list"):
        read_parquet(write(x=[[1, 2], [3]]))


def test_files_that_are_none_are_refused(write, tmp_path):
    with pytest.raises(DataError, match="is empty"):
        read_parquet(write(x=[]))
    (tmp_path / "t.parquet").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match="is not a Parquet file"):
        read_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + b"\0" * 50)
    with pytest.raises(DataError, match="cannot be read"):
        read_parquet(tmp_path / "t.parquet")


def test_without_pyarrow_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[parquet\]'"):
        read_parquet(tmp_path / "t.parquet")
