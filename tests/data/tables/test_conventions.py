"""Numbers however they are written: marks are found by the column, then by the table, and said."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pytest

from chainrule.data.tables import Encoder, Table, Task, settle_formats
from chainrule.data.tables.formats import DateFormat, NumberFormat
from chainrule.errors import ArgumentError, DataError, SavedFileError


def make(**columns: str) -> Table:
    """A table of columns, each given as its cells with `|` between them."""
    cells = [[cell.strip() for cell in text.split("|")] for text in columns.values()]
    rows = tuple(zip(*cells, strict=True))
    return Table("t.csv", tuple(columns), rows, tuple(range(2, len(rows) + 2)), has_header=True)


def read(text: str, **others: str) -> list[str]:
    """The cells of a column as they are read, in a table with other columns."""
    table = settle_formats(make(x=text, **others))
    return [cell for _, cell in table.cells("x")]


NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"

COLUMNS = {
    "a decimal comma": ("1,5|2,25|3", ["1.5", "2.25", "3"]),
    "thousands and a decimal comma": ("1.234,50|12,5|1.234.567,8", ["1234.50", "12.5", "1234567.8"]),
    "English thousands": ("1,234.5|12|1,234,567", ["1234.5", "12", "1234567"]),
    "points alone that come twice": ("1.234.567|12", ["1234567", "12"]),
    "commas alone that come twice": ("1,234,567|12", ["1234567", "12"]),
    "groups as in India": ("1,23,456|12,34,567.5", ["123456", "1234567.5"]),
    "groups as in Switzerland": ("1'234.50|12|1’234", ["1234.50", "12", "1234"]),
    "spaces": (f"1 234,5|1{NBSP}234,5|1{THIN}234|12", ["1234.5", "1234.5", "1234", "12"]),
    "currencies in front": ("$1,234.50|$ 12|-$3|$-4", ["1234.50", "12", "-3", "-4"]),
    "currencies behind": (f"1.234,50 €|12{NBSP}€|-3€", ["1234.50", "12", "-3"]),
    "currencies in letters": ("1.234,50 EUR|12,0|€ 3,5", ["1234.50", "12.0", "3.5"]),
    "crowns": ("1 234,50 kr|12,0 kr|3,5 kr.", ["1234.50", "12.0", "3.5"]),
    "accountants": ("(1,234.50)|12.0|($3.5)", ["-1234.50", "12.0", "-3.5"]),
    "a minus behind": ("1.234,5-|12,5", ["-1234.5", "12.5"]),
    "a long minus": (f"{MINUS}1.5%|2%", ["-1.5", "2"]),
    "percent": ("12.5 %|3%|0 %", ["12.5", "3", "0"]),
    "percent with a comma": ("12,5 %|3%", ["12.5", "3"]),
    "exponents": ("1,5e3|2E-3", ["1.5e3", "2E-3"]),
    "no digit in front": (",5|1,5", ["0.5", "1.5"]),
    "gaps": ("1,5|n/a|2", ["1.5", "2"]),
    "plain": ("1.5|2|-3e5", ["1.5", "2", "-3e5"]),
    "leading zeros are no groups": ("0.123|0.456", ["0.123", "0.456"]),
}


@pytest.mark.parametrize(("text", "numbers"), COLUMNS.values(), ids=COLUMNS)
def test_numbers_are_read_however_they_are_written(text, numbers):
    assert [cell for cell in read(text) if cell != "n/a"] == numbers


def test_what_is_read_otherwise_than_python_would_is_said():
    table = settle_formats(make(price="1.234,5 €|2 €", share="1,5 %|2 %", count="3|4", when="2024-01-01|2024-01-02"))
    assert table.rows == (("1234.5", "1.5", "3", "19723"), ("2", "2", "4", "19724"))
    assert table.notes == (
        "t.csv, column 'price': '1.234,5 €' is read as 1234.5, a number in € with a decimal comma",
        "t.csv, column 'share': '1,5 %' is read as 1.5, a number in percent with a decimal comma",
        "t.csv, column 'count': '3' is read as 3, a number with a decimal comma",
        "t.csv, column 'when': '2024-01-01' is read as 19723, the days since 1970-01-01 of a date",
    )
    assert settle_formats(make(x="1.5|2", y="a|b")).notes == ()


# ---- what one cell leaves open ----


def test_the_column_decides():
    assert read("1.234|1.2345") == ["1.234", "1.2345"]
    assert read("1.234|1.234,5") == ["1234", "1234.5"]
    assert read("1,234|1,23") == ["1.234", "1.23"]
    assert read("1,234|1,234.5") == ["1234", "1234.5"]


def test_the_other_columns_decide():
    assert read("1.234|2.345", other="1,5|2") == ["1234", "2345"]
    assert read("1.234|2.345", other="1.5|2") == ["1.234", "2.345"]
    assert read("1,234|2,345", other="1,5|2") == ["1.234", "2.345"]
    assert read("1,234|2,345", other="1.5|2") == ["1234", "2345"]
    assert settle_formats(make(x="1.234|2.345", y="1.5|2")).notes == ()


@pytest.mark.parametrize("others", [{}, {"whole": "1|2"}, {"text": "a|b"}, {"one": "1,5|2", "two": "1.5|2"}])
def test_what_nothing_decides_is_read_as_english_and_said(others):
    table = settle_formats(make(x="1.234|2.345", **others))
    assert [cell for _, cell in table.cells("x")] == ["1.234", "2.345"]
    [note] = [note for note in table.notes if "column 'x'" in note]
    assert note == "t.csv, column 'x': '1.234' may be 1.234 or 1234; it is read as 1.234 (--decimal=, reads 1234)"
    table = settle_formats(make(x="1,234|2,345", **others))
    assert [cell for _, cell in table.cells("x")] == ["1234", "2345"]
    assert any("'1,234' may be 1234 or 1.234; it is read as 1234 (--decimal=, reads 1.234)" in n for n in table.notes)


def test_the_mark_can_be_said():
    table = settle_formats(make(x="1.234|2.345"), decimal=",")
    assert [cell for _, cell in table.cells("x")] == ["1234", "2345"]
    assert not any("may be" in note for note in table.notes)
    table = settle_formats(make(x="1,234|2,345"), decimal=".")
    assert [cell for _, cell in table.cells("x")] == ["1234", "2345"]
    with pytest.raises(DataError, match=r"column 'x' cannot have the decimal mark ',': line 2 has '1.5'"):
        settle_formats(make(x="1.5|2.5"), decimal=",")
    with pytest.raises(ArgumentError, match="the decimal mark is"):
        settle_formats(make(x="1|2"), decimal=";")


def test_texts_stay_as_they_are():
    for text in (
        "red|blue",
        "A 12|B 13",
        "1.2.3|1.2.4",
        "192.168.0.1|10.0.0.1",
        "12 x|13 y",
        "S|M",
        "true|false",
        "€|$",
    ):
        assert read(text) == text.split("|")


def test_numbers_that_are_mistyped_are_named():
    many = "|".join(f"{i},5 €" for i in range(20))
    with pytest.raises(DataError, match=r"column 'x' holds numbers, but not in line 22 \('free'\): mend or empty"):
        settle_formats(make(x=many + "|free"))
    assert settle_formats(make(x=many + "|free"), ignore=["x"]).formats == {}


def test_units_are_not_mixed():
    with pytest.raises(DataError, match=r"different units, line 3 \('\$2'\), line 2 \('€1'\): bring them to one"):
        settle_formats(make(x="€1|$2|€3"))
    with pytest.raises(DataError, match=r"different units, line 2 \('12 %'\), line 3 \('0.2'\)"):
        settle_formats(make(x="12 %|0.2"))


# ---- dates ----

DATES = {
    "ISO": ("1970-01-02|1971-01-01", ["1", "365"]),
    "slashes, year first": ("1970/01/02|1971/1/1", ["1", "365"]),
    "points": ("2.1.1970|01.01.1971", ["1", "365"]),
    "points, two digits": ("02.01.70|31.12.68", ["1", "36159"]),
    "the day shows itself": ("2/1/1970|13/1/1970", ["1", "12"]),
    "the month shows itself": ("1/2/1970|1/13/1970", ["1", "12"]),
    "dashes, day first": ("13-01-1970|2-1-1970", ["12", "1"]),
    "words": ("2 Jan 1970|13-January-1970", ["1", "12"]),
    "American words": ("Jan 2, 1970|January 13, 1970", ["1", "12"]),
    "with a time": ("1970-01-02 12:00|1970-01-02T18:00:00", ["1.5", "1.75"]),
    "with half days": ("1/2/1970 12:00 am|1/13/1970 6:00 PM", ["1", "12.75"]),
    "before 1970": ("1969-12-31|1969-12-30", ["-1", "-2"]),
    "with zones": ("1970-01-02T01:00:00+01:00|1970-01-02T00:00:00Z", ["1", "1"]),
    "with gaps": ("1970-01-02||n/a", ["1", "", ""]),
}


@pytest.mark.parametrize(("text", "days"), DATES.values(), ids=DATES)
def test_dates_are_days(text, days):
    table = settle_formats(make(x=text))
    assert [cell if cell != "n/a" else "" for _, cell in table.cells("x")] == days
    assert "the days since 1970-01-01" in table.notes[0]


def test_which_number_is_the_month_is_decided_by_the_column_or_said():
    table = settle_formats(make(x="1/2/1970|3/4/1970"))
    assert [cell for _, cell in table.cells("x")] == ["1", "62"]
    assert "may have the day first; it is read with the month first" in table.notes[1]
    european = settle_formats(make(x="1/2/1970|3/4/1970", y="1,5|2,5"))
    assert [cell for _, cell in european.cells("x")] == ["31", "92"]
    assert not any("may have" in note for note in european.notes)


@pytest.mark.parametrize(
    "text", ["2024-13-01|2024-01-01", "30.02.2024|1.1.2024", "May|June", "12:30|13:30", "2024-01|2024-02"]
)
def test_what_is_no_date_stays_text(text):
    assert read(text) == text.split("|")


def test_a_date_that_is_mistyped_is_named():
    days = "|".join(f"2024-01-{day:02}" for day in range(1, 29))
    with pytest.raises(DataError, match=r"column 'x' holds dates, but not in line 30 \('2024-02-31'\)"):
        settle_formats(make(x=days + "|2024-02-31"))


def test_times_with_and_without_zones_are_not_mixed():
    with pytest.raises(DataError, match=r"needs a date in each cell, but has line 3 \('1970-01-02T00:00Z'\)"):
        settle_formats(make(x="1970-01-02T00:00|1970-01-02T00:00Z"))


# ---- later tables ----


def fitted(**columns: str) -> tuple[Table, Encoder]:
    table = settle_formats(make(**columns))
    encoder = Encoder.fit(table, Task.from_table(table))
    return table, Encoder.from_config(json.loads(json.dumps(encoder.to_config())))


def test_a_later_table_is_read_as_the_first_one_was():
    table, encoder = fitted(x="1,5 €|2,5 €|3,5 €", d="1/13/1970|1/2/1970|1/3/1970", y="1,5|2,5|3,5")
    assert encoder.formats == {
        "x": NumberFormat(",", currency="€"),
        "d": DateFormat("mdy"),
        "y": NumberFormat(","),
    }
    X = encoder.encode_inputs(table)
    # of themselves these columns would be read as English, and with the day first
    later = make(d="13/1/1970|1/2/1970|1/3/1970".replace("13/1", "1/13"), x="1.500|2,5 €|3,5", y="1|2|3")
    encoded = encoder.encode_inputs(later)
    assert encoded[1:] == X[1:]
    assert encoded[0][0] == pytest.approx((1500 - 2.5) / encoder.inputs[0].scale)
    assert encoder.encode(table)[1] == encoder.encode_targets(make(x="1|1|1", d="|||"[:2], y="1,5|2,5|3,5"))


@pytest.mark.parametrize("cell", ["1.5", "$1", "1 %", "one"])
def test_a_later_table_that_is_written_otherwise_is_refused(cell):
    _, encoder = fitted(x="1,5 €|2,5 €|3,5 €", y="a|b|a")
    with pytest.raises(
        DataError, match=r"column 'x' needs a number in € with a decimal comma in each cell, but has line 3"
    ):
        encoder.encode_inputs(make(x=f"1,5|{cell}"))


def test_a_table_is_not_rewritten_twice():
    table, encoder = fitted(x="1,234|5,678|9,5", y="a|b|a")
    assert encoder.encode_inputs(table) == encoder.encode_inputs(make(x="1,234|5,678|9,5"))
    assert table.rewritten(encoder.formats) is table


def test_whole_numbers_of_a_table_with_decimal_commas_have_points_for_thousands():
    _, encoder = fitted(x="1,5|2,5|3,5", n="1|2|4", y="a|b|a")
    assert encoder.formats["n"] == NumberFormat(",")
    [[_, z]] = encoder.encode_inputs(make(x="1,5", n="1.000"))
    assert z == pytest.approx((1000 - 7 / 3) / encoder.inputs[1].scale)


@pytest.mark.parametrize(
    "formats",
    [
        [],
        {"z": {"decimal": ",", "percent": False, "currency": ""}},
        {"x": {"decimal": ";", "percent": False, "currency": ""}},
        {"x": {"decimal": [","], "percent": False, "currency": ""}},
        {"x": {"decimal": ",", "percent": 1, "currency": ""}},
        {"x": {"decimal": ",", "percent": False, "currency": 3}},
        {"x": {"order": "dmy", "zoned": 0}},
        {"x": {"order": ["dmy"], "zoned": False}},
        {"x": {"order": "ydm", "zoned": False}},
        {"x": "dmy"},
    ],
)
def test_damaged_formats_are_refused(formats):
    _, encoder = fitted(x="1,5|2,5|3,5", y="a|b|a")
    with pytest.raises(SavedFileError, match="formats"):
        Encoder.from_config({**encoder.to_config(), "formats": formats})


def test_an_encoder_of_plain_columns_is_saved_as_before():
    _, encoder = fitted(x="1.5|2.5|3.5", y="a|b|a")
    assert set(encoder.to_config()) == {"inputs", "target"}


def test_the_examples_of_the_page_on_tables_run():
    page = (Path(__file__).parents[3] / "docs" / "tables.md").read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(page, {}, "tables.md", None, None)
    runner = doctest.DocTestRunner()
    assert runner.run(test).failed == 0
    assert runner.tries > 0
