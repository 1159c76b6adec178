"""Files as people have them: exports of spreadsheets, gaps, names of rows, other places to read from."""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import sys

import pytest

from chainrule.cli.predict import read_model
from chainrule.data.tables.formats import DateFormat, NumberFormat
from chainrule.saving.models import load_extra

pytestmark = pytest.mark.usefixtures("no_pictures")

SHORT = ["--epochs", 2, "--sizes", 2]


def number(x):
    """A number as a German spreadsheet writes it."""
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


def european(rows=60, seed=1):
    """A table as a German spreadsheet exports it, in which the fee decides who leaves."""
    rng = random.Random(seed)
    lines = ["Kunde;Beginn;Gebühr;Anteil;Umsatz;bleibt"]
    for i in range(rows):
        fee = rng.uniform(5, 50)
        day = f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.{rng.randint(2015, 2023)}"
        values = [
            f"Müller {i}",
            day,
            f"{number(fee)} €",
            f"{number(rng.random() * 100)} %",
            number(rng.uniform(500, 9000)),
        ]
        lines.append(";".join([*values, "ja" if fee < 25 else "nein"]))
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_european_export_is_read_and_what_was_guessed_is_said(run, folder, encoding):
    (folder / "export.csv").write_bytes(european().encode(encoding))
    ended = run("train", "export.csv", *SHORT)
    assert ended.code == 0
    assert "learning bleibt (2 classes) from 4 inputs" in ended.err
    for said in (
        "semicolons between its cells",
        "a date, day first",
        "a number in € with a decimal comma",
        "a number in percent with a decimal comma",
        "column 'Kunde' has 60 different texts in 60 rows and is left out",
    ):
        assert said in ended.err
    assert bool(re.search(r"^export.csv .*is read as (cp1252|UTF-16)", ended.err, re.MULTILINE)) == (
        encoding != "utf-8-sig"
    )
    _, encoder, _, _ = read_model(folder / "export.model.json")
    assert encoder.formats == {
        "Beginn": DateFormat("dmy"),
        "Gebühr": NumberFormat(",", currency="€"),
        "Anteil": NumberFormat(",", percent=True),
        "Umsatz": NumberFormat(","),
    }
    predicted = run("predict", "export.model.json", "export.csv")
    assert predicted.code == 0
    rows = list(csv.DictReader(io.StringIO(predicted.out)))
    assert rows[0]["Gebühr"].endswith(" €")  # the rows are given back as they were
    assert "of 60 rows as the file has them" in predicted.err


def test_predict_reads_as_train_did_what_it_could_not_decide_itself(run, folder):
    (folder / "t.csv").write_text("x;d;y\n" + "".join(f"{i},5;{i % 12 + 1}/13/2023;{'ab'[i % 2]}\n" for i in range(24)))
    assert run("train", "t.csv", *SHORT).code == 0
    (folder / "one.csv").write_text("x;d\n1.234;1/2/2023\n")
    (folder / "same.csv").write_text("x;d\n1234,0;2023-01-02\n")
    ended = run("predict", "t.model.json", "one.csv")
    [row] = csv.DictReader(io.StringIO(ended.out))
    assert (ended.code, row["x"]) == (0, "1.234")
    refused = run("predict", "t.model.json", "same.csv")
    assert refused.code == 2
    assert "column 'd' needs a date, month first in each cell, but has line 2 ('2023-01-02')" in refused.err
    (folder / "same.csv").write_text("x;d\n1234,0;1/2/2023\n")
    same = run("predict", "t.model.json", "same.csv")
    [other] = csv.DictReader(io.StringIO(same.out))
    assert other["probability_a"] == row["probability_a"]


def test_what_was_said_of_the_file_is_kept_for_predict(run, folder):
    text = "цвет:x:y\n" + "".join(f"{'жёлтый' if i % 2 else 'синий'}:{i % 7}:{'ab'[i % 2]}\n" for i in range(30))
    (folder / "t.csv").write_bytes(text.encode("cp1251"))
    assert run("train", "t.csv", *SHORT, "--delimiter", ":", "--encoding", "cp1251").code == 0
    assert load_extra(folder / "t.model.json")["reading"] == {"delimiter": ":", "encoding": "cp1251"}
    for encoding in ("cp1251", "utf-8"):
        (folder / "new.csv").write_bytes(text.encode(encoding))
        ended = run("predict", "t.model.json", "new.csv")
        assert ended.code == 0
        assert "not in the training rows" not in ended.err
    asked = run("predict", "t.model.json", "new.csv", "--encoding", "latin-1")
    assert asked.code == 2  # other names of columns


def test_what_nothing_decides_can_be_said(run, folder):
    (folder / "t.csv").write_text("x;y\n" + "".join(f"{i % 9 + 1}.{i:03};{'ab'[i % 2]}\n" for i in range(30)))
    ended = run("train", "t.csv", *SHORT)
    assert "may be 1.000 or 1000; it is read as 1.000 (--decimal=, reads 1000)" in ended.err
    ended = run("train", "t.csv", *SHORT, "--decimal", ",")
    assert "is read as 1000" in ended.err
    assert "may be" not in ended.err


def test_a_column_that_cannot_be_read_is_no_obstacle_if_it_is_ignored(run, folder):
    rows = "".join(f"{'$' if i % 2 else '€'}{i},{i % 5},{'ab'[i % 2]}\n" for i in range(30))
    (folder / "t.csv").write_text("price,x,y\n" + rows)
    ended = run("train", "t.csv", *SHORT)
    assert (ended.code, "numbers in different units" in ended.err) == (2, True)
    assert run("train", "t.csv", *SHORT, "--ignore", "price").code == 0


def test_rows_without_the_target_are_left_out_and_counted(run, folder):
    (folder / "t.csv").write_text(
        "x,y\n" + "".join(f"{i % 7},{'' if i in (3, 8) else 'ab'[i % 2]}\n" for i in range(40))
    )
    ended = run("train", "t.csv", *SHORT)
    assert "t.csv: 2 rows without y are left out (lines 5, 10)" in ended.err
    assert "24 rows, 6 to know when to stop, and 8 held out" in ended.err
    predicted = run("predict", "t.model.json", "t.csv")
    assert predicted.code == 0
    assert len(predicted.out.splitlines()) == 41


def test_predictions_are_compared_with_what_a_file_has_of_the_target(run, folder, iris):
    assert run("train", "iris.csv", *SHORT).code == 0
    head, *rows = iris.read_text().splitlines()
    some = [row if i % 3 else row.rpartition(",")[0] + "," for i, row in enumerate(rows)]
    (folder / "some.csv").write_text("\n".join([head, *some]))
    ended = run("predict", "iris.model.json", "some.csv")
    assert (ended.code, len(ended.out.splitlines())) == (0, 151)
    assert ended.err.endswith("of 100 rows as the file has them\n")
    none = [row.rpartition(",")[0] + ",?" for row in rows]
    (folder / "none.csv").write_text("\n".join([head, *none]))
    assert run("predict", "iris.model.json", "none.csv").err == ""


def test_dates_are_predicted_as_dates(run, folder):
    rows = "".join(f"{i},{i % 28 + 1:02}.{i // 28 + 1:02}.2023\n" for i in range(60))
    (folder / "t.csv").write_text("x,due\n" + rows)
    assert run("train", "t.csv", *SHORT, "--keep", "x").code == 0
    predicted = csv.DictReader(io.StringIO(run("predict", "t.model.json", "t.csv").out))
    assert all(re.fullmatch(r"202\d-\d\d-\d\d", row["predicted_due"]) for row in predicted)


def test_a_column_of_thousands_of_texts_is_refused_before_memory_is_full(run, folder, monkeypatch):
    monkeypatch.setattr("chainrule.cli.problem.MOST_NUMBERS", 1000)
    (folder / "t.csv").write_text("x,city,y\n" + "".join(f"{i % 7},c{i % 30},{'ab'[i % 2]}\n" for i in range(90)))
    ended = run("train", "t.csv", *SHORT)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "has 31 inputs in 90 rows" in ended.err
    assert "30 of them come from the column 'city': --ignore=city leaves it out" in ended.err


def test_a_target_that_is_missing_everywhere_is_refused(run, folder):
    (folder / "t.csv").write_text("x,y\n" + "".join(f"{i % 7},\n" for i in range(40)))
    ended = run("train", "t.csv", "--target", "y")
    assert ended.code == 2
    assert "column 'y' is the target, but is missing in every row" in ended.err


def test_columns_of_the_same_name_are_told_apart(run, folder):
    (folder / "t.csv").write_text("x,x,y\n" + "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(40)))
    ended = run("train", "t.csv", *SHORT, "--ignore", "x.2")
    assert "has the column 'x' more than once: the one at place 2 is called 'x.2'" in ended.err
    assert "from 1 input:" in ended.err
    assert run("predict", "t.model.json", "t.csv").code == 0


def test_whole_numbers_can_be_regressed_and_numbers_be_classes(run, folder):
    (folder / "t.csv").write_text("x,stars\n" + "".join(f"{i % 7},{i % 5 + 1}\n" for i in range(40)))
    assert "learning stars (5 classes)" in run("train", "t.csv", *SHORT).err
    ended = run("train", "t.csv", *SHORT, "--task", "regression")
    assert "learning stars (a number)" in ended.err
    assert "held-out R²" in ended.out
    (folder / "t.csv").write_text("x,dose\n" + "".join(f"{i % 7},{i % 2 + 0.5}\n" for i in range(40)))
    assert "learning dose (2 classes)" in run("train", "t.csv", *SHORT, "--task", "classification").err


def test_no_row_need_be_held_out(run, folder, iris):
    ended = run("train", "iris.csv", *SHORT, "--held-out", 0)
    assert ended.code == 0
    assert "120 rows, 30 to know when to stop, and 0 held out" in ended.err
    assert ended.out.startswith("held-out none: no row is left to say how good the model is")
    assert "held_out" not in load_extra(folder / "iris.model.json")
    assert run("train", "iris.csv", *SHORT, "--held-out", 0, "--validation", 0).code == 0
    assert run("info", "iris.model.json").code == 0


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv"])
def test_files_packed_by_gzip(run, folder, iris, name):
    (folder / name).write_bytes(gzip.compress(iris.read_bytes()))
    assert run("train", name, *SHORT).code == 0
    assert run("predict", "t.model.json", name).err.endswith("of 150 rows as the file has them\n")


def test_standard_input(run, folder, iris, monkeypatch):
    def given():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(iris.read_bytes())))

    given()
    ended = run("train", "-", *SHORT)
    assert ended.code == 0
    assert "chainrule predict stdin.model.json FILE.csv" in ended.out
    given()
    assert len(run("predict", "stdin.model.json", "-").out.splitlines()) == 151
    given()
    assert run("predict", "stdin.model.json", "-", "--out", "o.csv").code == 0


def test_parquet(run, folder, iris):
    arrow, parquet = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.read_csv(iris), folder / "iris.parquet")
    assert run("train", "iris.parquet", *SHORT).code == 0
    assert run("predict", "iris.model.json", "iris.parquet").err.endswith("of 150 rows as the file has them\n")
    assert run("predict", "iris.model.json", "iris.csv").code == 0


def test_parquet_without_pyarrow_is_told_in_one_line(run, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (folder / "t.parquet").write_bytes(b"PAR1")
    ended = run("train", "t.parquet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "pip install 'chainrule[parquet]'" in ended.err


def test_a_model_of_an_older_chainrule_is_read(run, folder, iris):
    """What `train` has added to the file since (how rows are read, what was measured) may be missing."""
    from chainrule.saving import load_file, save

    assert run("train", "iris.csv", *SHORT).code == 0
    model, extra = load_file(folder / "iris.model.json")
    save(
        model, folder / "old.json", encoder=extra["encoder"], loss=extra["loss"], held_out={"accuracy": 0.9, "rows": 30}
    )
    assert run("predict", "old.json", "iris.csv").out == run("predict", "iris.model.json", "iris.csv").out
    assert run("info", "old.json").code == 0
