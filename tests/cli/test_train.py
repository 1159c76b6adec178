"""`chainrule train`: what it leaves behind, what it says, and what it may write over."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

from chainrule.cli.measures import Report
from chainrule.cli.pictures import InUnits
from chainrule.cli.problem import Files
from chainrule.cli.summary import Outcome, ending
from chainrule.data.tables import Encoder, read_csv
from chainrule.nn import MLP
from chainrule.saving import load_file
from chainrule.training import History, loop

PNG = b"\x89PNG\r\n\x1a\n"


def accuracy(ended):
    return float(re.search(r"held-out accuracy ([\d.]+) %", ended.out)[1])


def test_a_csv_file_leaves_a_model_and_a_picture_and_says_where(run, iris, folder):
    ended = run("train", "iris.csv", "--epochs", 15)
    assert ended.code == 0
    assert accuracy(ended) >= 80
    assert "of 30 rows never seen in training" in ended.out
    assert "chainrule predict iris.model.json iris.csv" in ended.out
    assert (folder / "iris.png").read_bytes().startswith(PNG)
    model, extra = load_file(folder / "iris.model.json")
    assert model.config()["nouts"] == [8, 8, 3]
    assert extra["loss"] == "cross_entropy"
    assert 100 * extra["held_out"]["accuracy"] == pytest.approx(accuracy(ended), abs=0.05)
    assert sorted(file.name for file in folder.iterdir()) == ["iris.csv", "iris.model.json", "iris.png"]


@pytest.mark.parametrize("name", ["xor", "moons", "circles", "spiral"])
def test_the_toy_sets_are_learned_with_nothing_said(run, name):
    ended = run("train", name, "--quiet")
    assert ended.code == 0
    assert accuracy(ended) >= 90


@pytest.mark.usefixtures("no_pictures")
def test_the_held_out_accuracy_is_that_of_rows_the_encoder_and_the_network_have_not_seen(run, iris, monkeypatch):
    seen = []
    real = loop.fit

    def spy(model, X, y, **options):
        seen.append((X, y, options["validation"]))
        return real(model, X, y, **options)

    monkeypatch.setattr("chainrule.cli.fitting.fit", spy)
    run("train", "iris.csv", "--epochs", 1, "--held-out", 0.4, "--validation", 0.2)
    (X, y, (X_watched, y_watched)), linear = seen
    assert linear == seen[0]  # the linear model learns from the same rows
    assert (len(X), len(y), len(X_watched), len(y_watched)) == (72, 72, 18, 18)
    for column in zip(*X, *X_watched, strict=True):  # standardised by the rows that are not held out
        assert sum(column) == pytest.approx(0, abs=1e-9)
        assert sum(x * x for x in column) == pytest.approx(90)


@pytest.mark.usefixtures("no_pictures")
def test_the_same_seed_gives_the_same_model_and_another_one_another(run, folder):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("train", "moons", "--epochs", 2, "--seed", seed, "--model", f"{name}.json", "--quiet")
    a, b, c = (load_file(folder / f"{name}.json")[0].state_dict() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.usefixtures("no_pictures")
def test_quiet_prints_the_result_only(run):
    ended = run("train", "xor", "--epochs", 2, "--quiet")
    assert ended.err == ""
    assert re.fullmatch(r"held-out accuracy [\d.]+ %: \d+ of 40 rows never seen in training\n", ended.out)


def test_progress_with_loss_and_accuracy_goes_to_standard_error(run):
    ended = run("train", "xor", "--epochs", 3)
    told = "learning class (2 classes) from 2 inputs: 128 rows, 32 to know when to stop, and 40 held out\n"
    assert ended.err.startswith(told)
    numbers = r"loss [\d.]+ \(validation [\d.]+\)  accuracy [\d.]+ % \(validation [\d.]+ %\)"
    assert len(re.findall(rf"^epoch 3/3  {numbers}$", ended.err, re.MULTILINE)) == 1  # not of the linear model
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.usefixtures("no_pictures")
def test_numbers_are_measured_in_their_own_units(run, folder):
    rows = [f"{x},{3000 + 50 * x}.5" for x in range(40)]
    (folder / "line.csv").write_text("\n".join(["x,price", *rows]))
    ended = run("train", "line.csv", "--sizes", "none", "--epochs", 60, "--lr", 0.05)
    assert ended.code == 0
    r2, error = re.search(r"held-out R² ([\d.-]+), typical error \(RMSE\) ([\d.e+-]+): 8 rows", ended.out).groups()
    assert float(r2) > 0.99
    assert float(error) < 60
    model, extra = load_file(folder / "line.model.json")
    assert (len(model.parameters()), extra["loss"]) == (2, "mean_squared_error")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        ("cross-entropy", 2),
        ("binary_cross_entropy", 1),
        ("max-margin", 1),
        ("mean_squared_error", 1),
        ("mean-absolute-error", 1),
    ],
)
def test_two_classes_are_learned_with_any_loss(run, folder, loss, outputs):
    ended = run("train", "xor", "--loss", loss, "--epochs", 25, "--lr", 0.03)
    assert ended.code == 0
    assert accuracy(ended) == 100
    model, extra = load_file(folder / "xor.model.json")
    assert extra["loss"] == loss.replace("-", "_")
    assert model.config()["nouts"][-1] == outputs


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_optimizers(run, optimizer):
    assert accuracy(run("train", "xor", "--optimizer", optimizer, "--epochs", 40, "--activation", "relu")) >= 95


def test_target_and_network_follow_the_options(run, iris, folder):
    options = ["--target", "petal_width", "--sizes", "5,3", "--activation", "relu", "--model", "width.json"]
    assert run("train", "iris.csv", *options, "--epochs", 2, "--picture", "w.svg").code == 0
    model, extra = load_file(folder / "width.json")
    config = model.config()
    assert (config["nouts"], config["activations"]) == ([5, 3, 1], ["relu", "relu", "linear"])
    assert Encoder.from_config(extra["encoder"]).target.name == "petal_width"
    assert b"<svg" in (folder / "w.svg").read_bytes()[:1000]
    assert not (folder / "width.png").exists()


@pytest.mark.usefixtures("no_pictures")
def test_patience_watches_rows_that_are_neither_trained_on_nor_held_out(run, monkeypatch):
    histories = []
    real = loop.fit

    def spy(*arguments, **options):
        histories.append(real(*arguments, **options))
        return histories[-1]

    monkeypatch.setattr("chainrule.cli.fitting.fit", spy)
    ended = run("train", "xor", "--patience", 2, "--epochs", 300, "--lr", 0.3)
    history = histories[0]
    assert history.stopped == "early stopping"
    assert len(history.validation_loss) == len(history) < 300
    best = history.rows[history.best_epoch - 1]
    assert history.best_epoch < len(history)
    told = f"accuracy {100 * best['accuracy']:.1f} %, loss {best['loss']:.4g}, the best of {len(history)} epochs"
    assert f"training {told} (stopped early)" in ended.out


def test_what_is_said_of_the_training_is_of_the_epoch_that_was_kept(folder, capsys):
    rows = [{"loss": 0.5, "validation_loss": 0.4}, {"loss": 0.25, "validation_loss": 0.6}]
    for stopped, told in (("done", ""), ("early stopping", " (stopped early)"), ("interrupted", " (Ctrl-C)")):
        outcome = Outcome(None, None, History(rows, stopped=stopped))
        ending(outcome, "xor", Files(folder / "m.json", None, None), quiet=False)
        assert f"training loss 0.5, the best of 2 epochs{told}\n" in capsys.readouterr().out
    without = [{"loss": 0.5}, {"loss": 0.25}]
    ending(
        Outcome(None, None, History(without, stopped="done")), "xor", Files(folder / "m.json", None, None), quiet=False
    )
    assert "training loss 0.25 after 2 epochs\n" in capsys.readouterr().out


@pytest.mark.usefixtures("no_pictures")
def test_notes_on_the_table_are_told(run, fruit):
    ended = run("train", "fruit.csv", "--epochs", 1, "--seed", 1)
    assert ended.code == 0
    assert "missing, filled with the mean" in ended.err


@pytest.mark.parametrize(("losses", "told"), [((1.0, 0.5, 2.0), True), ((1.0, 2.0, 0.5), False)])
def test_a_loss_that_rose_is_told(folder, capsys, losses, told):
    report = Report({"accuracy": 0.5}, "accuracy 50.0 %: 1 of 2 rows", {}, [])
    history = History([{"loss": loss} for loss in losses], stopped="done")
    ending(Outcome(report, None, history), "xor", Files(folder / "m.json", None, None), quiet=False)
    assert ("a smaller --lr may help" in capsys.readouterr().err) == told


def test_a_training_that_diverges_fails_in_one_line_and_saves_nothing(run, folder):
    (folder / "t.csv").write_text("x,y\n" + "".join(f"{i},{i * i}.5\n" for i in range(20)))
    ended = run("train", "t.csv", "--optimizer", "sgd", "--lr", 1e200, "--activation", "linear", "--quiet")
    assert ended.code == 1
    assert ended.err.startswith("chainrule: the training diverged, and nothing was saved; try a smaller --lr.")
    assert ended.err.count("\n") == 1
    assert [file.name for file in folder.iterdir()] == ["t.csv"]


# ---- files that are there already ----


def test_training_again_replaces_its_own_files(run, folder):
    run("train", "xor", "--epochs", 1, "--quiet")
    before = (folder / "xor.model.json").read_bytes(), (folder / "xor.png").read_bytes()
    assert run("train", "xor", "--epochs", 2, "--quiet").code == 0
    after = (folder / "xor.model.json").read_bytes(), (folder / "xor.png").read_bytes()
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_picture_is_known_as_ours_though_the_run_that_was_to_replace_it_failed(run, folder, monkeypatch, ends):
    def fail(*arguments, **options):
        raise ends

    run("train", "xor", "--epochs", 1, "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr("chainrule.cli.train.save_picture", fail)
        assert run("train", "xor", "--epochs", 1, "--quiet").code != 0
    assert run("train", "xor", "--epochs", 1, "--quiet").code == 0


def test_a_picture_is_known_as_ours_after_a_run_that_drew_none(run, folder, monkeypatch):
    run("train", "xor", "--epochs", 1, "--quiet")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        assert run("train", "xor", "--epochs", 1, "--quiet").code == 0
    assert run("train", "xor", "--epochs", 1, "--quiet").code == 0


def test_force_replaces_what_the_user_has(run, folder):
    (folder / "xor.png").write_text("mine")
    (folder / "xor.model.json").write_text("mine, too")
    assert run("train", "xor", "--epochs", 1, "--quiet", "--force").code == 0
    assert (folder / "xor.png").read_bytes().startswith(PNG)
    assert load_file(folder / "xor.model.json")[1]["loss"] == "cross_entropy"


def test_a_picture_that_was_changed_since_is_the_users(run, folder):
    run("train", "xor", "--epochs", 1, "--quiet")
    (folder / "xor.png").write_text("painted over")
    ended = run("train", "xor", "--epochs", 1, "--quiet")
    assert ended.code == 2
    assert (folder / "xor.png").read_text() == "painted over"


@pytest.mark.usefixtures("no_pictures")
def test_without_matplotlib_there_is_a_model_but_no_picture(run, folder):
    ended = run("train", "xor", "--epochs", 1)
    assert ended.code == 0
    assert "there will be no picture: this needs matplotlib" in ended.err
    assert [file.name for file in folder.iterdir()] == ["xor.model.json"]
    assert "picture" not in ended.out
    assert run("train", "xor", "--epochs", 1, "--quiet").err == ""
    asked = run("train", "xor", "--epochs", 1, "--picture", "x.png")
    assert asked.code == 2
    assert "pip install 'chainrule[plot]'" in asked.err


# ---- stopping and going on ----


@pytest.mark.usefixtures("no_pictures")
def test_a_resumed_run_gives_the_model_of_one_that_was_never_stopped(run, folder):
    whole = ["train", "moons", "--quiet", "--model", "whole.json", "--epochs", 6]
    parts = ["train", "moons", "--quiet", "--model", "parts.json", "--checkpoint", "parts.checkpoint"]
    run(*whole)
    run(*parts, "--epochs", 2)
    assert json.loads((folder / "parts.checkpoint").read_text())["epoch"] == 2
    assert run(*parts, "--epochs", 6, "--resume").code == 0
    assert load_file("whole.json")[0].state_dict() == load_file("parts.json")[0].state_dict()


@pytest.mark.usefixtures("no_pictures")
def test_ctrl_c_keeps_the_best_model_and_says_so(run, folder, monkeypatch):
    real = loop.fit

    def interrupted(model, *arguments, callbacks, **options):
        def press(state):
            if state.epoch == 3:
                signal.raise_signal(signal.SIGINT)

        return real(model, *arguments, callbacks=[*callbacks, press], **options)

    monkeypatch.setattr("chainrule.cli.fitting.fit", interrupted)
    ended = run("train", "xor", "--epochs", 500)
    assert ended.code == 130
    assert ", the best of 3 epochs (Ctrl-C)" in ended.out
    assert load_file(folder / "xor.model.json")[1]["loss"] == "cross_entropy"


def test_ctrl_c_before_the_first_epoch_leaves_nothing(run, folder, monkeypatch):
    real = loop.fit

    def interrupted(model, *arguments, **options):
        forward = model.forward

        def press(x):
            if not hasattr(model, "calls"):
                model.calls = 0
            model.calls += 1
            if model.calls == 170:  # behind the looking through (162 rows), in the first batch
                signal.raise_signal(signal.SIGINT)
            return forward(x)

        model.forward = press
        return real(model, *arguments, **options)

    monkeypatch.setattr("chainrule.cli.fitting.fit", interrupted)
    ended = run("train", "xor", "--quiet", "--batch-size", 16)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "chainrule: stopped by Ctrl-C before the first epoch was done: there is no model\n"
    assert list(folder.iterdir()) == []


def test_ctrl_c_elsewhere_ends_in_one_line(run, monkeypatch):
    def press(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.cli.problem.split_indices", press)
    assert run("train", "xor") == (130, "", "chainrule: stopped by Ctrl-C\n")


def test_the_boundary_is_drawn_in_the_units_of_the_table(run, folder):
    (folder / "t.csv").write_text("a,b,c\n" + "".join(f"{100 + i},{5 - i},{i % 2}\n" for i in range(12)))
    table = read_csv("t.csv")
    run("train", "t.csv", "--epochs", 1, "--quiet")
    model, extra = load_file("t.model.json")
    encoder = Encoder.from_config(extra["encoder"])
    X = encoder.encode_inputs(table)
    same = InUnits(model, encoder.inputs)
    for standardised, cells in zip(X, table.rows, strict=True):
        in_units = same([float(cell) for cell in cells[:2]])
        assert [y.data for y in in_units] == [y.data for y in model(standardised)]
    assert isinstance(model, MLP)


@pytest.mark.usefixtures("no_pictures")
def test_compiled_or_not(run, folder, monkeypatch):
    pytest.importorskip("llvmlite")
    pytest.importorskip("numpy")
    words = ["train", "xor", "--epochs", 3]
    compiled, eager, auto = (run(*words, *more) for more in (["--compile"], ["--no-compile"], []))
    assert re.search(r"^compiled in \d+\.\d s$", compiled.err, re.MULTILINE)
    assert "compiled" not in eager.err + auto.err  # so little work is not worth it
    assert {ended.out for ended in (compiled, eager, auto)} == {eager.out}
    assert run(*words, "--compile", "--quiet").err == ""
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    ended = run(*words, "--compile", "--model", "other.json")
    assert ended.code == 2
    assert "pip install 'chainrule[compiler]'" in ended.err
    assert not (folder / "other.json").exists()


@pytest.mark.usefixtures("no_pictures")
def test_a_compiled_run_is_resumed(run, folder):
    pytest.importorskip("llvmlite")
    pytest.importorskip("numpy")
    words = ["train", "xor", "--checkpoint", "c.json", "--quiet"]
    run(*words, "--epochs", 2, "--compile")
    run(*words, "--epochs", 4, "--resume", "--model", "parts.json")
    run("train", "xor", "--quiet", "--epochs", 4, "--compile", "--model", "whole.json")
    parts, whole = (load_file(folder / name)[0].state_dict() for name in ("parts.json", "whole.json"))
    assert parts == whole


def test_rows_sorted_by_class_are_not_learned_by_their_number(run, iris, no_pictures):
    rows = sorted(iris.read_text().splitlines()[1:], key=lambda row: row.rpartition(",")[2])
    words = [f"{i},{row.rpartition(',')[2]},{i * 7919 % 100}" for i, row in enumerate(rows)]
    iris.write_text("\n".join([",species,noise", *words]) + "\n")
    code, out, err = run("train", iris, "--target", "species", "--epochs", 20)
    assert code == 0
    assert "column 'column_1' has no name" in err
    assert "learning species (3 classes) from 1 input" in err
    right = float(out.partition("accuracy ")[2].partition(" %")[0])
    assert right < 70  # of noise nothing can be learned; the number of the row gives all away
    code, out, err = run("train", iris, "--target", "species", "--epochs", 90, "--keep", "column_1", "--quiet")
    assert (code, err) == (0, "")
    assert float(out.partition("accuracy ")[2].partition(" %")[0]) > 80


def test_numbers_whose_squares_are_infinite_are_measured(run, folder, no_pictures):
    (folder / "t.csv").write_text("a,y\n" + "".join(f"{i % 7},{i % 7 - 3}e307\n" for i in range(35)))
    code, out, err = run("train", "t.csv", "--target", "y", "--epochs", 60, "--sizes", "4")
    assert (code, "Traceback" in err) == (0, False)
    assert float(out.partition("R² ")[2].partition(",")[0]) > 0.5
    assert "e+30" in out  # the typical error, in the units of the table


def test_a_failure_after_training_does_not_lose_the_model(run, folder, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    run("train", "xor", "--epochs", 3, "--model", "whole.json")
    monkeypatch.setattr("chainrule.cli.train.save_picture", fail)
    code, _, err = run("train", "xor", "--epochs", 3)
    assert code == 2
    assert "No space left" in err
    (model, extra), (whole, its) = load_file("xor.model.json"), load_file("whole.json")
    assert model.state_dict() == whole.state_dict()
    assert {**its, "picture": None} == {**extra, "picture": None}
