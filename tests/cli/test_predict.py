"""`chainrule predict`: rows with predictions, and how many of them are right."""

from __future__ import annotations

import csv
import io
import re

import pytest

from chainrule.cli.goals import Goal
from chainrule.data.tables import Encoder, read_csv
from chainrule.nn import MLP
from chainrule.saving import load_file, save

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def model(run, iris):
    run("train", "iris.csv", "--epochs", 10, "--quiet")
    return "iris.model.json"


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_row_gets_the_class_with_the_highest_score_and_its_probability(run, iris, model):
    ended = run("predict", model, "iris.csv")
    assert ended.code == 0
    rows = rows_of(ended.out)
    assert len(rows) == 150
    net, extra = load_file(model)
    encoder = Encoder.from_config(extra["encoder"])
    X = encoder.encode_inputs(read_csv("iris.csv"))
    for x, row in zip(X, rows, strict=True):
        scores = [score.data for score in net(x)]
        assert row["predicted_species"] == encoder.classes[scores.index(max(scores))]
        chances = Goal("cross_entropy", encoder.classes).probabilities(scores)
        assert [float(row[f"probability_{name}"]) for name in encoder.classes] == pytest.approx(chances, abs=1e-4)
        assert float(row["probability"]) == max(float(row[f"probability_{name}"]) for name in encoder.classes)
    right = sum(row["species"] == row["predicted_species"] for row in rows)
    assert ended.err == f"accuracy {right / 1.5:.1f} %: {right} of 150 rows as the file has them\n"


def test_rows_without_the_target_in_any_order_of_columns(run, folder, model):
    new = folder / "new.csv"
    new.write_text("petal_width;petal_length;name;sepal_width;sepal_length\n0,2;1;a;3;5\n".replace("0,2", "0.2"))
    ended = run("predict", model, new)
    assert ended.code == 0
    assert ended.err == f"{new} has semicolons between its cells\n"
    [row] = rows_of(ended.out)
    assert (row["name"], row["predicted_species"]) == ("a", "setosa")


def test_out_holds_what_standard_output_would(run, iris, folder, model):
    printed = run("predict", model, "iris.csv").out
    ended = run("predict", model, "iris.csv", "--out", "out.csv")
    assert (ended.code, ended.out) == (0, "")
    assert "150 predictions are in out.csv" in ended.err
    assert rows_of((folder / "out.csv").read_text()) == rows_of(printed)


def test_quiet_says_nothing_beside_the_rows(run, iris, model):
    assert run("predict", model, "iris.csv", "--quiet").err == ""


def test_an_existing_file_is_replaced_only_by_force(run, iris, folder, model):
    (folder / "out.csv").write_text("mine")
    assert run("predict", model, "iris.csv", "--out", "out.csv").code == 2
    assert (folder / "out.csv").read_text() == "mine"
    assert run("predict", model, "iris.csv", "--out", "out.csv", "--force").code == 0
    assert len(rows_of((folder / "out.csv").read_text())) == 150


def test_numbers_come_in_their_own_units_and_without_probability(run, folder):
    (folder / "line.csv").write_text("x,price\n" + "".join(f"{x},{3000 + 50 * x}.5\n" for x in range(30)))
    run("train", "line.csv", "--sizes", "none", "--epochs", 80, "--lr", 0.05, "--quiet")
    ended = run("predict", "line.model.json", "line.csv")
    rows = rows_of(ended.out)
    assert list(rows[0]) == ["x", "price", "predicted_price"]
    assert all(abs(float(row["price"]) - float(row["predicted_price"])) < 100 for row in rows)
    assert re.fullmatch(r"R² 0\.99\d|R² 1\.000", ended.err.partition(",")[0])


@pytest.mark.parametrize(("loss", "probability"), [("binary_cross_entropy", True), ("max_margin", False)])
def test_a_single_score_stands_for_two_classes(run, folder, loss, probability):
    run("train", "xor", "--loss", loss, "--epochs", 30, "--lr", 0.03, "--quiet")
    (folder / "corners.csv").write_text("x1,x2,class\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    ended = run("predict", "xor.model.json", "corners.csv")
    assert [row["predicted_class"] for row in rows_of(ended.out)] == ["0", "1", "1", "0"]
    assert ("probability" in ended.out) == probability
    assert ended.err == "accuracy 100.0 %: 4 of 4 rows as the file has them\n"


def test_missing_and_unknown_cells_are_told(run, fruit, folder):
    run("train", "fruit.csv", "--epochs", 2, "--quiet")
    (folder / "new.csv").write_text("colour,weight\nviolet,\n")
    ended = run("predict", "fruit.model.json", "new.csv")
    assert ended.code == 0
    assert "not in the training rows" in ended.err
    assert "filled with the mean" in ended.err


def test_a_target_that_the_model_does_not_know_does_not_spoil_the_predictions(run, iris, folder, model):
    (folder / "new.csv").write_text("sepal_length,sepal_width,petal_length,petal_width,species\n5,3,1,0.2,oak\n")
    ended = run("predict", model, "new.csv")
    assert ended.code == 0
    assert "not compared with the file's own answers" in ended.err
    assert rows_of(ended.out)[0]["predicted_species"] == "setosa"


def test_a_model_that_was_saved_without_its_columns_is_refused(run, iris):
    save(MLP(4, [3]), "plain.json")
    ended = run("predict", "plain.json", "iris.csv")
    assert ended.code == 2
    assert "does not say which columns it needs" in ended.err


@pytest.mark.parametrize("extra", [{"loss": "cross_entropy"}, {"loss": "made_up"}, {"loss": ["mean_squared_error"]}])
def test_a_model_that_does_not_go_with_its_columns_is_refused(run, iris, model, extra):
    encoder = load_file(model)[1]["encoder"]
    save(MLP(4, [2]), "other.json", encoder=encoder, **extra)
    ended = run("predict", "other.json", "iris.csv")
    assert ended.code == 2
    assert ended.err == "chainrule: other.json is damaged: its network does not go with its columns or its loss\n"
