"""CSV files: what is read is what was written; every file that cannot be used is refused in one line."""

from __future__ import annotations

import csv
import gzip
import io
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chainrule.data.tables import read_csv, write_csv
from chainrule.data.tables.files import Likely
from chainrule.errors import ArgumentError, DataError


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def to_disk(content: str | bytes, name: str = "table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_disk


def refusal(path, **options) -> str:
    """The message with which a file is refused."""
    with pytest.raises(DataError) as caught:
        read_csv(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(
    rows=st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["utf-8", "utf-8-sig"]),
)
@example(rows=[["a\nb", 'say "c"'], ["", "1,5"]], delimiter=";", line_end="\r\n", mark="utf-8-sig")
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, delimiter, line_end, mark):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    path.write_bytes(buffer.getvalue().encode(mark))
    expected = [tuple(cell.strip() for cell in row) for row in rows]
    expected = [row for row in expected if any(row)]
    if expected:
        assert list(read_csv(path, header=False, delimiter=delimiter).rows) == expected
    else:
        assert "is empty" in refusal(path, header=False, delimiter=delimiter)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    rows=st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    delimiter=st.sampled_from(",;\t"),
    named=st.booleans(),
)
def test_delimiter_and_header_of_number_tables_are_found(tmp_path_factory, rows, delimiter, named):
    names = [f"x{place}" for place in range(len(rows[0]))]
    lines = [delimiter.join(map(repr, row)) for row in rows]
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    path.write_text("\n".join([delimiter.join(names)] * named + lines))
    table = read_csv(path)
    assert table.has_header == named
    assert table.columns == (tuple(names) if named else tuple(f"column_{i}" for i in range(1, len(names) + 1)))
    assert [[float(cell) for cell in row] for row in table.rows] == rows
    assert table.lines == tuple(range(1 + named, 1 + named + len(rows)))


def test_lines_are_those_of_the_file(write):
    table = read_csv(write('a,b\n\n1,"two\nlines"\n , \n2,x\n'))
    assert table.rows == (("1", "two\nlines"), ("2", "x"))
    assert table.lines == (3, 6)
    assert table.cells("b") == [(3, "two\nlines"), (6, "x")]
    assert table.cells("a", [1]) == [(6, "2")]
    assert len(table) == 2


def test_old_mac_line_ends(write):
    assert read_csv(write("a,b\r1,2\r3,4\r")).rows == (("1", "2"), ("3", "4"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x,y,kind\n1,2,a\n3,4,b\n", True),
        ("1,2,a\n3,4,b\n", False),
        ("kind,colour\na,red\nb,red\na,blue\n", True),  # all text, the first row is not met again
        ("a,red\nb,red\na,blue\n", False),  # all text, but 'a' and 'red' are met again
        ("a,a\nb,c\nd,b\n", False),  # nor would one name two columns
        ("x,flag\n1,true\n2,false\n", True),
        ("red,true\nblue,false\n", False),
        (",name\n0,ann\n1,bob\n", True),  # a data frame written with its index
        ("?,a\n1,b\n2,a\n", False),  # a missing cell above numbers names nothing
        ("1,oops,x\n2,3,y\n4,5,z\n", False),  # a mistyped number in the first row is no name
        ("2019,2020\n1.5,2.5\n", False),
        ("x,y\n1,2\n", True),
        ("1,2\n", False),
    ],
)
def test_header_is_found(write, text, named):
    assert read_csv(write(text)).has_header == named


def test_header_can_be_forced(write):
    path = write("2019,2020\n1.5,2.5\n")
    assert read_csv(path, header=True).columns == ("2019", "2020")
    assert read_csv(write("x,y\n1,2\n"), header=False).rows == (("x", "y"), ("1", "2"))


def test_names_left_out_are_numbered(write):
    assert read_csv(write(",name\n0,ann\n1,bob\n")).columns == ("column_1", "name")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a;b\n1,5;2,5\n", ("a", "b")),
        ("a,b\n1;2,3\n4;5,6\n", ("a", "b")),
        ('"a, b";c\n1;2\n', ("a, b", "c")),
        ("a\tb, c\n1\t2\n", ("a", "b, c")),
        ("1,5;2,5\n3,5;4,5\n", ("column_1", "column_2")),  # a tie: the comma is likelier to be in a cell
        ("only\n1\n", ("only",)),
    ],
)
def test_delimiter_is_found(write, text, columns):
    assert read_csv(write(text)).columns == columns


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("\n \n,,\n", "is empty"),
        ("a,b,c\n", "has a header (line 1), but no rows below it"),
        ("a,b\n1,2\n3\n4,5\n6,7,8\n", "2 cells expected in each row, as in line 1; found 1 or 3 in lines 3, 5"),
        ("a,b\n" + "1\n" * 30, "found 1 in lines 2, 3, 4, 5, 6, … (30 in all)"),
        ('a,b\n1,"2\n3,4\n', "line 2: wrongly quoted"),
        ('a,b\n1,"2"3\n', "line 2: wrongly quoted"),
        ("a,b\n1," + "x" * 200_000, "line 2: wrongly quoted or oversized"),
        (b"a,b\n1,\x00\n", "is not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not a text file"),
        (b"a,b\n1,caf\xe9\x01\n", "is not a text file"),
        (b"a,b\n1,caf\x81\n", "is not text in UTF-8 (line 2), nor in cp1252"),
        ("a,b\n1,é\n2,ü\n3,ö\n4,ä".encode() + b"\xff\n", "is text in UTF-8, but damaged in line 5"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "is damaged text in utf-16"),
        (b"PK\x03\x04" + b"\0" * 20, "is an Excel workbook or another zip file: save the sheet as CSV"),
        (b"\x1f\x8b\x08", "cannot be unpacked by gzip"),
        (gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-20], "cannot be unpacked by gzip"),
        (",".join("c" * 10_001) + "\n" + "1," * 10_000 + "1\n", "has 10,001 columns, and at most 10,000"),
    ],
)
def test_unusable_files_are_refused(write, content, words):
    assert words in refusal(write(content))


TEXT = "Größe;Preis\n1,5;10 €\n2,5;12 €\n"
ROWS = (("1,5", "10 €"), ("2,5", "12 €"))
ENCODED = {
    "UTF-8": (TEXT.encode(), None),
    "UTF-8 with a mark": (TEXT.encode("utf-8-sig"), None),
    "UTF-16, as Excel saves Unicode text": (TEXT.encode("utf-16"), "is read as UTF-16"),
    "UTF-16, the other order": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is read as UTF-16"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "is read as UTF-16-LE"),
    "UTF-32": (TEXT.encode("utf-32"), "is read as UTF-32"),
    "Windows": (TEXT.encode("cp1252"), r"is not UTF-8, so it is read as cp1252 (line 1: 'Größe;Preis')"),
    "packed": (gzip.compress(TEXT.encode(), mtime=0), None),
    "packed Windows": (gzip.compress(TEXT.encode("cp1252"), mtime=0), "is read as cp1252"),
}


@pytest.mark.parametrize(("content", "said"), ENCODED.values(), ids=ENCODED)
def test_the_encoding_is_found_and_said(write, content, said):
    path = write(content)
    table = read_csv(path)
    assert (table.columns, table.rows) == (("Größe", "Preis"), ROWS)
    notes = [note for note in table.notes if "semicolons" not in note]
    assert len(notes) == bool(said)
    assert all(note.startswith(str(path)) and said in note for note in notes)


def test_the_encoding_can_be_said_or_be_likely(write):
    text = "город,x\nМосква,1\nКиев,2\n"
    path = write(text.encode("cp1251"))
    for options in ({"encoding": "cp1251"}, {"likely": Likely(encoding="cp1251")}):
        assert read_csv(path, **options).columns == ("город", "x")
    assert read_csv(write(text.encode()), likely=Likely(encoding="cp1251")).columns == ("город", "x")
    assert "is not text in ascii (line 1)" in refusal(path, encoding="ascii")
    for unknown in ("cp9999", "hex", "a\0b", ""):
        with pytest.raises(ArgumentError, match="there is no text encoding"):
            read_csv(path, encoding=unknown)


def test_the_delimiter_is_said_unless_it_is_a_comma(write):
    assert read_csv(write("a,b\n1,2\n")).notes == ()
    for character, words in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        path = write(f"a{character}b\n1{character}2\n")
        assert read_csv(path).notes == (f"{path} has {words} between its cells",)
        assert read_csv(path, delimiter=character).notes == ()


def test_a_likely_delimiter_is_taken_where_it_splits_the_rows(write):
    likely = Likely(delimiter=":")
    assert read_csv(write("a:b\n1:2,5\n"), likely=likely).columns == ("a", "b")
    assert read_csv(write("a,b\n1,2\n"), likely=likely).columns == ("a", "b")


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n'])
def test_a_first_line_for_excel_names_the_delimiter(write, first):
    table = read_csv(write(first + "a;b\n1,5;2\n"))
    assert (table.columns, table.rows, table.lines) == (("a", "b"), (("1,5", "2"),), (3,))


def test_columns_of_the_same_name_are_told_apart(write):
    table = read_csv(write("x,y,x,x.2,x\n1,2,3,4,5\n"))
    assert table.columns == ("x", "y", "x.3", "x.2", "x.4")
    assert [note.partition(": ")[2] for note in table.notes] == [
        "the one at place 3 is called 'x.3'",
        "the one at place 5 is called 'x.4'",
    ]


@pytest.mark.parametrize("text", ["€ 5,red\n€ 6,blue\n", "2024-01-31,a\n2024-02-01,b\n", "12 %;a\n13 %;b\n"])
def test_a_row_of_numbers_and_dates_is_no_header(write, text):
    assert not read_csv(write(text)).has_header


@pytest.mark.parametrize("text", ["price,c\n€ 5,red\n€ 6,red\n", "day,c\n2024-01-31,a\n2024-02-01,day\n"])
def test_a_name_above_numbers_and_dates_is_a_header(write, text):
    assert read_csv(write(text)).has_header


def test_standard_input_is_read_for_a_dash(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode("cp1252"))))
    table = read_csv("-")
    assert (table.path, table.rows) == ("standard input", ROWS)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="there is no standard input"):
        read_csv("-")


def test_what_unpacks_without_end_is_refused(write, monkeypatch):
    monkeypatch.setattr("chainrule.data.tables.decoding.MOST_BYTES", 1000)
    assert "more than can be a table" in refusal(write(gzip.compress(b"a,b\n" * 1000, mtime=0)))


def test_directory_for_a_file(tmp_path):
    assert "is a directory" in refusal(tmp_path)


def test_missing_file_suggests_its_neighbour(write, tmp_path):
    write("a,b\n1,2\n", "flowers.csv")
    assert refusal(tmp_path / "flower.csv").endswith("does not exist. Did you mean 'flowers.csv'?")
    assert refusal(tmp_path / "no" / "such.csv").endswith("does not exist.")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(write):
    path = write("a,b\n1,2\n")
    path.chmod(0)
    assert "cannot be read" in refusal(path)


def test_name_that_no_file_can_have(tmp_path):
    assert "cannot be read" in refusal(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_bad_delimiter(write, delimiter):
    with pytest.raises(ArgumentError, match="delimiter must be a single character"):
        read_csv(write("a,b\n1,2\n"), delimiter=delimiter)


def test_unknown_column_lists_those_there_are(write):
    table = read_csv(write("weight,colour\n1,red\n2,red\n"))
    with pytest.raises(DataError, match=r"no column 'color'\. Did you mean 'colour'\? It has weight, colour\."):
        table.cells("color")


@given(rows=st.lists(st.tuples(CELLS, NUMBERS, st.integers()), max_size=6))
def test_what_is_written_can_be_read(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.csv"
    write_csv(path, ["text", "number", "whole"], rows)
    with path.open(newline="", encoding="utf-8") as file:
        actual = list(csv.reader(file))
    assert actual == [["text", "number", "whole"]] + [[text, repr(x), str(i)] for text, x, i in rows]


def test_writing_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    write_csv(path, ["a", "b"], [[1, None]])
    assert path.read_bytes() == b"a,b\r\n1,\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_source_is_never_written_over(write, tmp_path):
    path = write("a,b\n1,2\n")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "table.csv"):
        with pytest.raises(DataError, match="is the file that is being read"):
            write_csv(name, ["a"], [[1]], source=path)
    assert path.read_text() == "a,b\n1,2\n"


def test_failed_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(DataError, match=r"row 2 for .*out\.csv has 1 cells, but the header has 2"):
        write_csv(path, ["a", "b"], [[1, 2], [3]])

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        write_csv(path, ["a"], [[1]])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "no" / "out.csv", tmp_path / "file" / "out.csv"):
        with pytest.raises(DataError, match=r"cannot be written|is a directory"):
            write_csv(place, ["a"], [[1]])
