"""What a run is compared with, what the report and the picture show of it, and what the model's file keeps."""

from __future__ import annotations

import json
import math
import random
import re

import pytest

from chainrule.cli.baselines import Baselines, lead
from chainrule.cli.fitting import balanced
from chainrule.cli.measures import Report
from chainrule.cli.pictures import draw_confusion, draw_predictions
from chainrule.cli.problem import Files
from chainrule.cli.summary import Outcome, ending
from chainrule.errors import AnomalyError
from chainrule.saving.models import load_extra, load_file, save
from chainrule.training import History, loop


@pytest.fixture
def lines(folder):
    """A target that is a line in x, with noise, and a column that says nothing."""
    rng = random.Random(3)
    rows = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(120)]
    text = "".join(f"{x:.4f},{z:.4f},{100 + 30 * x + 5 * rng.gauss(0, 1):.4f}\n" for x, z in rows)
    (folder / "lines.csv").write_text("x,z,price\n" + text)
    return "lines.csv"


@pytest.fixture
def rare(folder):
    """Two classes of which one is rare, and overlaps with the other."""
    rng = random.Random(4)
    rows = [("yes", rng.gauss(1.2, 1.0)) if i % 12 == 0 else ("no", rng.gauss(0.0, 1.0)) for i in range(360)]
    (folder / "rare.csv").write_text("x,y\n" + "".join(f"{x:.4f},{y}\n" for y, x in rows))
    return "rare.csv"


def table_in(out: str) -> dict[str, list[str]]:
    """The lines of the report that compare models: the name of each, with its numbers."""
    start = next(i for i, line in enumerate(out.splitlines()) if re.search(r"accuracy  balanced|R² +RMSE", line))
    found = {}
    for line in out.splitlines()[start + 1 :]:
        if not line.startswith("         "):
            break
        name, *numbers = re.split(r"  +", line.strip())
        found[name] = numbers
    return found


@pytest.mark.usefixtures("no_pictures")
def test_a_network_is_compared_with_a_linear_model_and_the_most_frequent_class(run, rare, folder):
    ended = run("train", rare, "--epochs", 30)
    assert ended.code == 0
    models = table_in(ended.out)
    assert list(models) == ["this network", "linear model", "always no"]
    assert models["always no"] == ["91.7 %", "50.0 %", "0.478", "0.500"]
    extra = load_extra(folder / "rare.model.json")
    assert list(extra["beside"]) == ["linear model", "always no"]
    assert set(extra["held_out"]) == {"accuracy", "balanced_accuracy", "f1", "auc", "rows"}
    assert extra["held_out"]["auc"] > 0.7
    assert max(len(line) for line in ended.out.splitlines()) <= 80


@pytest.mark.usefixtures("no_pictures")
def test_a_number_is_compared_with_the_mean_in_its_own_units(run, lines, folder):
    ended = run("train", lines, "--epochs", 60)
    models = table_in(ended.out)
    assert list(models) == ["this network", "linear model", "always the mean"]
    linear = load_extra(folder / "lines.model.json")["beside"]["linear model"]
    assert linear["r2"] > 0.9
    assert 3 < linear["rmse"] < 8  # the noise has a deviation of 5
    assert float(models["always the mean"][0]) < 0.1


@pytest.mark.usefixtures("no_pictures")
def test_a_linear_model_is_not_compared_with_itself(run, lines):
    models = table_in(run("train", lines, "--epochs", 5, "--sizes", "none").out)
    assert list(models) == ["this network", "always the mean"]


@pytest.mark.parametrize(
    ("own", "linear", "told"),
    [
        (0.5, 0.4, []),
        (0.5, 0.6, ["--sizes none trains that one alone"]),
        (-0.1, 0.4, ["--sizes none trains that one alone", "no better than always the mean, which needs no input"]),
        (0.0, None, ["no better than always the mean, which needs no input"]),
    ],
)
def test_a_better_linear_model_is_told_and_so_is_a_network_that_learned_nothing(folder, capsys, own, linear, told):
    def report(r2):
        return Report({"r2": r2, "rows": 9}, "R²", {}, [])

    beside = Baselines("always the mean", report(0.0), None if linear is None else report(linear))
    history = History([{"loss": 1.0}], stopped="done")
    ending(Outcome(report(own), beside, history), "t.csv", Files(folder / "m.json", None, None), quiet=False)
    hints = capsys.readouterr().err.splitlines()
    assert len(hints) == len(told)
    assert all(words in hint for words, hint in zip(told, hints, strict=True))


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("ends", "code"), [("interrupted", 130), ("diverged", 0)])
def test_a_linear_model_that_was_not_trained_to_its_end_is_not_reported(run, rare, folder, monkeypatch, ends, code):
    real = loop.fit

    def fit(model, *arguments, **options):
        history = real(model, *arguments, **options)
        if len(model.config()["nouts"]) == 1:  # the linear model
            if ends == "diverged":
                raise AnomalyError("a loss was not finite")
            history.stopped = ends
        return history

    monkeypatch.setattr("chainrule.cli.fitting.fit", fit)
    ended = run("train", rare, "--epochs", 2)
    assert ended.code == code
    assert list(table_in(ended.out)) == ["this network", "always no"]
    assert list(load_extra(folder / "rare.model.json")["beside"]) == ["always no"]


def test_how_far_a_report_is_better():
    low, high, none = (Report(numbers, "", {}, []) for numbers in ({"r2": -1.0}, {"r2": 0.5}, {"rows": 1}))
    assert (lead(high, low), lead(low, high)) == (1.5, -1.5)
    assert lead(Report({"accuracy": 0.75}, "", {}, []), Report({"accuracy": 0.5}, "", {}, [])) == 0.25
    assert math.isnan(lead(high, none))


@pytest.mark.usefixtures("no_pictures")
def test_numbers_beyond_the_square_root_of_the_largest_are_reported(run, folder):
    (folder / "t.csv").write_text("x,y\n" + "".join(f"{i % 5},{i % 7 - 3}.25e307\n" for i in range(8)))
    ended = run("train", "t.csv", "--epochs", 2, "--held-out", 0.1)
    assert (ended.code, "nan" in ended.out) == (0, True)  # R² of one row
    assert re.search(r"^ +this network +[\d.]+e\+307 {2,}[\d.]+e\+307$", ended.out, re.MULTILINE)
    assert "no better" not in ended.err


# ---- classes of which some are rare ----


@pytest.mark.usefixtures("no_pictures")
def test_balanced_classes_count_the_same(run, rare, folder):
    balances = []
    for weights in ([], ["--class-weights", "balanced"]):
        assert run("train", rare, "--epochs", 40, *weights).code == 0
        balances.append(load_extra(folder / "rare.model.json")["held_out"]["balanced_accuracy"])
    assert balances[1] > balances[0] + 0.1


def test_rows_of_rare_classes_are_taken_more_often_and_none_is_left_out():
    classes = [0, 1, 0, 0, 0, 2, 0, 1]
    taken = balanced(classes)
    assert [[classes[place] for place in taken].count(name) for name in range(3)] == [5, 5, 5]
    assert set(taken) == set(range(8))


@pytest.mark.usefixtures("no_pictures")
def test_numbers_have_no_class_weights(run, lines):
    ended = run("train", lines, "--class-weights", "balanced")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "--class-weights is for classes, but 'price' holds numbers" in ended.err


# ---- pictures ----


def axes():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_the_confusion_matrix_counts_truths_in_rows_and_predictions_in_columns():
    ax = axes()
    draw_confusion(ax, [("a", "a"), ("a", "b"), ("a", "b"), ("b$", "b$")], ("a", "b", "b$"))
    assert ax.images[0].get_array().tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "0", "0", "0", "0", "0", "0", "1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", r"b\$"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "truth")


def test_predictions_are_drawn_above_the_truth():
    ax = axes()
    draw_predictions(ax, [(1.0, 2.0), (3.0, 2.5)], "price")
    assert ax.collections[0].get_offsets().tolist() == [[1.0, 2.0], [3.0, 2.5]]
    assert ax.lines[0].get_xydata().tolist() == [[1.0, 1.0], [3.0, 3.0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("price", "predicted")


@pytest.mark.parametrize("options", [[], ["--target", "sepal_width"], ["--held-out", 0]])
def test_pictures_of_all_kinds_are_drawn(run, iris, folder, options):
    assert run("train", iris, "--epochs", 2, *options).code == 0
    assert (folder / "iris.png").stat().st_size > 10_000


def test_classes_whose_names_look_like_formulas_are_drawn(run, folder):
    rows = "".join(f"{i % 7},{('$a_{b', '[bold]', 'c' * 300)[i % 3]}\n" for i in range(60))
    (folder / "t.csv").write_text("x,y\n" + rows)
    ended = run("train", "t.csv", "--epochs", 2)
    assert ended.code == 0
    assert "[bold]  " in ended.out
    assert run("info", "t.model.json").code == 0


# ---- what the file keeps ----


@pytest.mark.usefixtures("no_pictures")
def test_info_says_what_a_model_predicts_from_what_and_how_well(run, iris):
    run("train", iris, "--epochs", 20)
    ended = run("info", "iris.model.json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("predicts species, one of setosa, versicolor, virginica\nfrom     4 columns:\n")
    assert re.search(r"^ +petal_width +number, mean 1\.\d+, deviation 0\.\d+$", ended.out, re.MULTILINE)
    assert "network  4 → 8 → 8 → 3 (tanh, cross_entropy), 139 parameters" in ended.out
    assert "iris.csv, 20 epochs (done)\n         96 rows, 24 to know when to stop, 30 held out\n" in ended.out
    assert "linear model" in ended.out


@pytest.mark.usefixtures("no_pictures")
def test_info_says_how_columns_are_written(run, folder):
    rows = "".join(f"{i},5 €;{'ab'[i % 2]};{i % 3 == 0};{i % 28 + 1}.1.2024;{i},25\n" for i in range(40))
    (folder / "t.csv").write_text("price;kind;new;day;y\n" + rows)
    run("train", "t.csv", "--epochs", 2)
    ended = run("info", "t.model.json")
    assert "predicts y, a number (written as a number with a decimal comma)" in ended.out
    assert re.search(r"price +number \(written as a number in € with a decimal comma\), mean", ended.out)
    assert re.search(r"kind +text, 2 categories: a, b", ended.out)
    assert re.search(r"new +true or false", ended.out)
    assert re.search(r"day +date, day first, mean 2024-01-1\d, deviation \d\.\d+ days", ended.out)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("held_out", [1]),
        ("held_out", {"accuracy": "high"}),
        ("beside", {"linear model": [1]}),
        ("beside", "none"),
        ("trained", {"rows": 3}),
        ("trained", {"data": 1, "epochs": 1, "stopped": "", "rows": {"train": 1, "validation": 1, "held_out": 1}}),
        ("reading", ["cp1252"]),
        ("reading", {"encoding": 3}),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(run, iris, folder, part, content):
    run("train", iris, "--epochs", 1)
    model, extra = load_file(folder / "iris.model.json")
    save(model, folder / "bad.json", **(extra | {part: content}))
    command = ["predict", "bad.json", "iris.csv"] if part == "reading" else ["info", "bad.json"]
    ended = run(*command)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "is damaged" in ended.err


@pytest.mark.usefixtures("no_pictures")
def test_what_is_measured_is_in_the_file_as_plain_numbers(run, iris, folder):
    run("train", iris, "--epochs", 2)
    extra = json.loads((folder / "iris.model.json").read_text())["extra"]
    assert extra["trained"]["rows"] == {"train": 96, "validation": 24, "held_out": 30}
