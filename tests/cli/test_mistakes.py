"""Whatever a user gets wrong ends in one clear line and exit code 2, and no file is touched."""

from __future__ import annotations

import json
import os

import pytest

from chainrule.data.tables import Encoder, Task, read_csv
from chainrule.nn import MLP
from chainrule.saving import save

GOOD = "a,b,c\n" + "".join(f"{i % 7},{i % 5},{'yes' if i % 3 else 'no'}\n" for i in range(30))

FILES = {
    "good.csv": GOOD,
    "empty.csv": "",
    "header.csv": "a,b,c\n",
    "ragged.csv": GOOD + "1,2\n",
    "words.csv": GOOD.replace("6,1,", "six,1,"),
    "holes.csv": GOOD.replace(",no", ",nan"),
    "oneclass.csv": GOOD.replace("no", "yes"),
    "inf.csv": "a,b\n" + "".join(f"{i},{i}.5\n" for i in range(20)) + "3,inf\n",
    "same.csv": "a,b\n" + "".join(f"{i},1.5\n" for i in range(20)),
    "unique.csv": "a,name\n" + "".join(f"{i},n{i}\n" for i in range(20)),
    "single.csv": "a\n" + "".join(f"{i % 2}\n" for i in range(20)),
    "twice.csv": "a,a,c\n1,2,x\n2,3,y\n1,2,x\n",
    "quote.csv": 'a,b\n1,"x\n2,y\n',
    "tworows.csv": "a,b\n1,x\n2,x\n",
    "comma.csv": "a;b\n" + "".join(f"{i},5;{i % 2}\n" for i in range(20)),
    "binary.csv": b"\x00\x01\x02\xff" * 50,
    "latin.csv": GOOD.replace("yes", "né").encode("latin-1"),
    "utf16.csv": GOOD.encode("utf-16"),
    "onlya.csv": "a,c\n1,yes\n",
    "text.csv": "a,b\nlow,high\n",
    "infinite.csv": "a,b\n1,inf\n",
    "foreign.json": json.dumps({"weights": [1, 2, 3]}),
    "list.json": "[1, 2]",
    "mine.png": b"\x89PNG my own picture",
    "mine.json": '{"my": "own notes"}',
    "mine.svg": "<svg/>",
    "named.csv": "a,b,predicted_c\n1,2,yes\n",
    "wide.csv": "\n".join([",".join(f"c{i}" for i in range(100_001)), ",".join("1" * 100_001)]) + "\n",
    "index.csv": "id,c\n" + "".join(f"{i},{'yes' if i < 10 else 'no'}\n" for i in range(30)),
    "beyond.csv": "a,b\n" + "".join(f"{i % 7},{'-' * (i % 2)}1.7e308\n" for i in range(30)),
}

TRAIN = [
    ("no data at all", ["train"], "DATA"),
    ("unknown command", ["trian", "xor"], "Did you mean"),
    ("no such toy set", ["train", "moon"], "Did you mean 'moons'?"),
    ("no such file", ["train", "godo.csv"], "does not exist. Did you mean 'good.csv'?"),
    ("a folder", ["train", "folder"], "is a directory"),
    ("empty file", ["train", "empty.csv"], "empty"),
    ("header only", ["train", "header.csv"], "no rows below it"),
    ("ragged rows", ["train", "ragged.csv"], "line 32"),
    ("a word among numbers", ["train", "words.csv"], "'six'"),
    ("one class", ["train", "oneclass.csv"], "one class only"),
    ("infinite target", ["train", "inf.csv"], "not finite: line 22 ('inf')"),
    ("constant target", ["train", "same.csv"], "nothing to learn"),
    ("as many classes as rows", ["train", "unique.csv"], "no target can be learned"),
    ("no inputs", ["train", "single.csv"], "no input column"),
    ("a quote never closed", ["train", "quote.csv"], "line 2"),
    ("too few rows", ["train", "tworows.csv"], "class"),
    ("binary file", ["train", "binary.csv"], "not a text file"),
    ("unknown column", ["train", "good.csv", "--target", "d"], "no column 'd'"),
    ("kept and ignored", ["train", "good.csv", "--keep", "a", "--ignore", "a"], "both kept and ignored"),
    ("an unknown column to ignore", ["train", "good.csv", "--ignore", "d"], "no column 'd'"),
    ("nothing but row numbers", ["train", "index.csv"], "no input column beside the target 'c'"),
    ("100,001 columns", ["train", "wide.csv"], "has 100,001 columns"),
    ("a file without end", ["train", "/dev/zero"], "is a device"),
    ("numbers too large to be told apart", ["train", "beyond.csv", "--target", "b"], "too large to be standardised"),
    ("empty column name", ["train", "good.csv", "--target", ""], "no column ''"),
    ("unknown option", ["train", "xor", "--epoch", "3"], "Did you mean --epochs?"),
    ("option without value", ["train", "xor", "--lr"], "--lr requires an argument"),
    ("option said twice", ["train", "xor", "--lr", "1", "--lr", "2"], "multiple times"),
    ("too many words", ["train", "xor", "moons"], "too much on the command line: moons"),
    ("sizes apart", ["train", "xor", "--sizes", "8", "8"], "too much on the command line: 8"),
    ("sizes in words", ["train", "xor", "--sizes", "eight"], "--sizes"),
    ("size 0", ["train", "xor", "--sizes", "8,0"], "--sizes"),
    ("negative size", ["train", "xor", "--sizes", "-8"], "--sizes"),
    ("an immense size", ["train", "xor", "--sizes", "9" * 5000], "--sizes"),
    ("too large a network", ["train", "xor", "--sizes", "90000,90000"], "too large"),
    ("unknown activation", ["train", "xor", "--activation", "tahn"], "Did you mean 'tanh'?"),
    ("activation of two numbers", ["train", "xor", "--activation", "mul"], "not an operation of one number"),
    ("unknown loss", ["train", "xor", "--loss", "cross"], "there is no loss 'cross'"),
    ("loss for numbers on three classes", ["train", "iris.csv", "--loss", "mean_squared_error"], "take cross_entropy"),
    (
        "loss for classes on numbers",
        ["train", "iris.csv", "--target", "sepal_width", "--loss", "max_margin"],
        "numbers",
    ),
    ("unknown optimizer", ["train", "xor", "--optimizer", "adm"], "adamw"),
    ("compiled and not", ["train", "xor", "--compile", "--no-compile"], "exclude each other"),
    ("no epochs", ["train", "xor", "--epochs", "0"], "--epochs must be at least 1"),
    ("negative epochs", ["train", "xor", "--epochs", "-3"], "--epochs must be at least 1"),
    ("half an epoch", ["train", "xor", "--epochs", "2.5"], "'2.5' is not a whole number"),
    ("epochs in words", ["train", "xor", "--epochs", "ten"], "'ten' is not a whole number"),
    ("lr nan", ["train", "xor", "--lr", "nan"], "--lr must be a number above 0"),
    ("lr inf", ["train", "xor", "--lr", "inf"], "--lr must be a number above 0"),
    ("lr negative", ["train", "xor", "--lr", "-0.1"], "--lr must be a number above 0"),
    ("lr in words", ["train", "xor", "--lr", "fast"], "--lr"),
    ("weights that grow", ["train", "xor", "--weight-decay", "-1"], "--weight-decay must be 0 or more"),
    ("weights of sgd", ["train", "xor", "--weight-decay", "1", "--optimizer", "sgd"], "is for --optimizer adamw"),
    ("an option for the data", ["train", "--sizes"], "requires an argument|unknown option"),
    ("a dash too many", ["train", "-xor"], "unknown option -xor"),
    ("an unknown encoding", ["train", "good.csv", "--encoding", "utf-9"], "there is no text encoding 'utf-9'"),
    ("another encoding", ["train", "latin.csv", "--encoding", "utf-8"], "is not text in utf-8 (line 3)"),
    ("two delimiters", ["train", "good.csv", "--delimiter", ";;"], "must be a single character"),
    ("no decimal mark", ["train", "good.csv", "--decimal", "x"], "--decimal"),
    ("another decimal mark", ["train", "beyond.csv", "--decimal", ","], "cannot have the decimal mark"),
    ("an unknown task", ["train", "good.csv", "--task", "guess"], "--task"),
    ("texts as numbers", ["train", "good.csv", "--task", "regression"], "holds text, and regression needs numbers"),
    ("batches of nothing", ["train", "xor", "--batch-size", "0"], "--batch-size must be at least 1"),
    ("validation without end", ["train", "xor", "--validation", "1"], "--validation"),
    ("no patience", ["train", "xor", "--patience", "0"], "--patience must be at least 1"),
    ("half patience", ["train", "xor", "--patience", "1.5"], "'1.5' is not a whole number"),
    ("everything held out", ["train", "xor", "--held-out", "1"], "--held-out"),
    ("nan held out", ["train", "xor", "--held-out", "nan"], "--held-out"),
    ("negative seed", ["train", "xor", "--seed", "-1"], "--seed must be 0 or more"),
    ("resume nothing", ["train", "xor", "--resume"], "--checkpoint PATH"),
]

OUTPUT = [
    ("model in a missing folder", ["train", "xor", "--model", "no/m.json"], "there is no folder no"),
    ("picture in a missing folder", ["train", "xor", "--picture", "no/m.png"], "there is no folder no"),
    ("a folder for a model", ["train", "xor", "--model", "folder"], "is a directory"),
    ("nothing for a model", ["train", "xor", "--model", ""], "is a directory"),
    ("a picture of an unknown kind", ["train", "xor", "--picture", "m.gif"], ".png or .svg or .pdf"),
    ("model over the data", ["train", "good.csv", "--model", "good.csv", "--force"], "is read by this command"),
    (
        "model over a link to the data",
        ["train", "good.csv", "--model", "link.csv", "--force"],
        "is read by this command",
    ),
    (
        "checkpoint over the data",
        ["train", "good.csv", "--checkpoint", "good.csv", "--force"],
        "is read by this command",
    ),
    ("model over a foreign file", ["train", "xor", "--model", "mine.json"], "not a model of chainrule's"),
    ("picture over a foreign file", ["train", "xor", "--picture", "mine.png"], "exists"),
    (
        "checkpoint over a foreign file",
        ["train", "xor", "--checkpoint", "mine.json"],
        "not a checkpoint of chainrule's",
    ),
    ("checkpoint over a model", ["train", "xor", "--checkpoint", "model.json"], "not a checkpoint of chainrule's"),
    ("two things in one file", ["train", "xor", "--model", "a.svg", "--picture", "a.svg"], "name two files"),
    ("predictions over the rows", ["predict", "model.json", "good.csv", "--out", "good.csv", "--force"], "is read by"),
    (
        "predictions over the model",
        ["predict", "model.json", "good.csv", "--out", "model.json", "--force"],
        "is read by",
    ),
    ("predictions over something", ["predict", "model.json", "good.csv", "--out", "onlya.csv"], "exists"),
    ("predictions in a missing folder", ["predict", "model.json", "good.csv", "--out", "no/p.csv"], "no folder no"),
    ("a drawing over something", ["draw", "x*y", "x=1", "y=2", "--out", "mine.svg"], "exists"),
    ("a drawing of an unknown kind", ["draw", "x*y", "x=1", "y=2", "--out", "graph.bmp"], ".svg"),
    ("a drawing in a missing folder", ["draw", "x*y", "x=1", "y=2", "--out", "no/g.svg"], "no folder no"),
]

PREDICT = [
    ("a model without end", ["predict", "/dev/zero", "good.csv"], "is a device"),
    ("rows without end", ["predict", "model.json", "/dev/zero"], "is a device"),
    ("no file", ["predict", "model.json"], "FILE"),
    ("no such model", ["predict", "mdel.json", "good.csv"], "Did you mean 'model.json'?"),
    ("a folder for a model", ["predict", "folder", "good.csv"], "is a directory"),
    ("foreign JSON", ["predict", "foreign.json", "good.csv"], "not a chainrule model file"),
    ("a list", ["predict", "list.json", "good.csv"], "not a chainrule model file"),
    ("a table for a model", ["predict", "good.csv", "good.csv"], "not a chainrule model file"),
    ("a checkpoint for a model", ["predict", "run.checkpoint", "good.csv"], "it is a chainrule checkpoint"),
    ("damaged model", ["predict", "damaged.json", "good.csv"], "damaged"),
    ("model cut short", ["predict", "short.json", "good.csv"], "damaged or cut short"),
    ("model without columns", ["predict", "plain.json", "good.csv"], "which columns it needs"),
    ("no such rows", ["predict", "model.json", "nothere.csv"], "does not exist"),
    ("a folder for rows", ["predict", "model.json", "folder"], "is a directory"),
    ("empty rows", ["predict", "model.json", "empty.csv"], "empty"),
    ("binary rows", ["predict", "model.json", "binary.csv"], "not a text file"),
    ("a dash too many for rows", ["predict", "model.json", "-rows.csv"], "unknown option -rows.csv"),
    ("no such model to tell of", ["info", "mdel.json"], "Did you mean 'model.json'?"),
    ("a table to tell of", ["info", "good.csv"], "not a chainrule model file"),
    ("a plain model to tell of", ["info", "plain.json"], "which columns it needs"),
    ("missing column", ["predict", "model.json", "onlya.csv"], "lacks the columns b"),
    ("words for numbers", ["predict", "model.json", "text.csv"], "needs a number"),
    ("infinite cell", ["predict", "model.json", "infinite.csv"], "not finite"),
    ("predicted already", ["predict", "model.json", "named.csv"], "has a column 'predicted_c' already"),
]

EXPRESSIONS = [
    ("no expression", ["explain"], "EXPRESSION"),
    ("empty expression", ["explain", ""], "empty"),
    ("cut short", ["explain", "x*"], "ends too early"),
    ("two operators", ["check", "x */ y", "x=1", "y=2"], "cannot read the expression"),
    ("open bracket", ["draw", "tanh(x", "x=1"], "cannot read the expression"),
    ("unknown function", ["explain", "tahn(x)", "x=1"], "Did you mean 'tanh'?"),
    ("no code is run", ["explain", "__import__('os').remove('good.csv')"], "no attributes"),
    ("attribute", ["check", "x.data", "x=1"], "attributes"),
    ("power by ^", ["check", "x^2", "x=1"], "write x**2"),
    ("variable without number", ["explain", "x*y", "x=1"], "give y=..."),
    ("number given twice", ["explain", "x", "x=1", "x=2"], "given twice"),
    ("number not used", ["explain", "x", "x=1", "y=2"], "no y"),
    ("not a number", ["explain", "x", "x=one"], "gives no number"),
    ("no equals sign", ["explain", "x", "x"], "write NAME=NUMBER"),
    ("no name", ["explain", "x", "=3"], "cannot be the name of a variable"),
    ("order 3", ["check", "x", "x=1", "--order", "3"], "take order=1 or order=2"),
    ("order 1.5", ["check", "x", "x=1", "--order", "1.5"], "not a whole number"),
    ("unknown option", ["check", "x", "x=1", "--ordr", "2"], "Did you mean --order?"),
    ("unknown option in front", ["check", "--ordr", "2", "x", "x=1"], "unknown option --ordr"),
    ("nested too deeply", ["explain", "(" * 5000 + "x" + ")" * 5000, "x=1"], "cannot read|nested"),
]


def contents(folder):
    """Every file below a folder, with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def messy(folder, iris):
    """A folder with good files and all kinds of bad ones."""
    (folder / "folder").mkdir()
    for name, text in FILES.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "link.csv").symlink_to("good.csv")
    table = read_csv(folder / "good.csv")
    encoder = Encoder.fit(table, Task.from_table(table))
    save(MLP(2, [2], seed=1), folder / "model.json", encoder=encoder.to_config(), loss="cross_entropy")
    save(MLP(2, [2], seed=1), folder / "plain.json")
    model = (folder / "model.json").read_text()
    (folder / "damaged.json").write_text(model.replace("0.", "1.", 1))
    (folder / "short.json").write_text(model[:300])
    (folder / "run.checkpoint").write_text(json.dumps({"format": "chainrule checkpoint", "version": 1}))
    return folder


CASES = [*TRAIN, *OUTPUT, *PREDICT, *EXPRESSIONS]


@pytest.mark.parametrize(("arguments", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(run, messy, arguments, words):
    before = contents(messy)
    code, out, err = run(*arguments)
    assert out == ""
    assert err.startswith("chainrule: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert any(word in err for word in words.split("|"))
    assert code == 2
    assert contents(messy) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize("arguments", [["train", "good.csv"], ["predict", "model.json", "good.csv"]])
def test_a_file_that_may_not_be_read(run, messy, arguments):
    (messy / "good.csv").chmod(0)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err == "chainrule: good.csv cannot be read: Permission denied\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everything")
def test_a_folder_that_may_not_be_written(run, messy):
    messy.chmod(0o500)
    try:
        code, out, err = run("train", "xor")
    finally:
        messy.chmod(0o700)
    assert (code, out) == (2, "")
    assert "permission denied" in err


def test_a_full_disk_is_told_in_one_line(run, folder, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainrule.cli.train.save", full)
    code, _, err = run("train", "xor", "--epochs", "1", "--quiet")
    assert (code, err) == (2, "chainrule: [Errno 28] No space left on device\n")


def test_a_name_that_would_command_the_terminal_is_written_out(run):
    code, _, err = run("train", "a\x1b[2J\nb.csv")
    assert code == 2
    assert err == "chainrule: a\\x1b[2J b.csv does not exist.\n"
