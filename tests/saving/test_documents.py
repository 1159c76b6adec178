"""Documents from strangers: whatever stands in them, they are loaded whole, or refused in one line that says where."""

from __future__ import annotations

import json
import os
import sys
from random import Random

import pytest

from chainrule.cli import main
from chainrule.errors import AnomalyError, ArgumentError, SavedFileError
from chainrule.nn import MLP, from_config
from chainrule.optim import Adam
from chainrule.saving import load_file, save
from chainrule.training import Checkpoint, fit

from .damages import damaged, damaged_safetensors, places

DAMAGES = int(os.environ.get("CHAINRULE_DAMAGES", "150"))
"""How many damages of each kind of document are tried."""
BLOCKS = range(10)

X, Y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
MLP_OF = {"type": "MLP", "nin": 1, "nouts": [1], "activations": ["tanh"]}
TABLE = "a,b,y\n" + "".join([f"{a},{b},{'yes' if t else 'no'}\n" for (a, b), t in zip(X * 3, Y * 3, strict=True)])


def net(seed=1):
    return MLP(2, [3, 1], activation="tanh", seed=seed)


def resume(path, model, epochs=3):
    optimizer = Adam(model.parameters(), lr=0.05)
    checkpoint = Checkpoint(path, resume=True)
    return fit(model, X, Y, loss="binary_cross_entropy", optimizer=optimizer, epochs=epochs, checkpoint=checkpoint,
               compile=False, progress=False)  # fmt: skip


@pytest.fixture(scope="module")
def model_document(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    (folder / "t.csv").write_text(TABLE)
    options = ["--epochs", "1", "--sizes", "3", "--no-compile", "--model", str(folder / "m.json"), "--quiet"]
    assert main(["train", str(folder / "t.csv"), *options]) == 0
    document = json.loads((folder / "m.json").read_text())
    del document["sha256"]
    return document


@pytest.fixture(scope="module")
def checkpoint_document(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents") / "c"
    resume(path, net(), epochs=2)
    document = json.loads(path.read_text())
    del document["sha256"]
    return document


def one_line(error, path):
    text = str(error)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert len(text) < 20_000


@pytest.mark.parametrize("block", BLOCKS)
def test_a_damaged_model_is_refused_in_one_line_or_loads_whole(tmp_path, capsys, model_document, block):
    path, rows = tmp_path / "m.json", tmp_path / "rows.csv"
    rows.write_text("a,b\n0,1\n1,1\n")
    for seed in range(block, DAMAGES, len(BLOCKS)):
        path.write_bytes(damaged(model_document, Random(seed)))
        code = main(["predict", str(path), str(rows)])
        lines = capsys.readouterr().err.splitlines()
        assert code in (0, 2), seed
        assert all(line.isprintable() for line in lines), seed
        assert code == 0 or (len(lines) == 1 and lines[0].startswith("chainrule: ")), seed
        try:
            model, _ = load_file(path)
        except SavedFileError as error:
            one_line(error, path)
        else:
            assert len(model.state_dict()) < 100, seed


@pytest.mark.parametrize("block", BLOCKS)
def test_a_damaged_checkpoint_is_refused_in_one_line_or_gone_on_from(tmp_path, checkpoint_document, block):
    path = tmp_path / "c"
    for seed in range(block, DAMAGES, len(BLOCKS)):
        model = net(seed=9)
        path.write_bytes(damaged(checkpoint_document, Random(seed)))
        before = model.state_dict()
        try:
            history = resume(path, model)
        except SavedFileError as error:
            one_line(error, path)
            assert model.state_dict() == before, seed
        except AnomalyError:  # its numbers are so large that no step can be done with them
            pass
        else:
            assert len(history) <= 3, seed


@pytest.mark.parametrize("block", BLOCKS)
def test_a_damaged_safetensors_file_is_refused_in_one_line_or_loads_whole(tmp_path, block):
    pytest.importorskip("safetensors")
    from chainrule.bridges.safetensors import load_safetensors, save_safetensors

    path = tmp_path / "m"
    save_safetensors(net(), path)
    content = path.read_bytes()
    for seed in range(block, DAMAGES, len(BLOCKS)):
        path.write_bytes(damaged_safetensors(content, Random(seed)))
        model = net(seed=9)
        before = model.state_dict()
        try:
            load_safetensors(model, path)
        except SavedFileError as error:
            one_line(error, path)
            assert model.state_dict() == before, seed


def test_every_part_of_a_model_file_is_in_its_schema(tmp_path, model_document):
    """Each part beside `extra`, taken out or replaced by a list of lists, is found."""
    for path in [place for place in places(model_document) if place and place[0] != "extra"]:
        for value in ([["?"]], ...):
            document = json.loads(json.dumps(model_document))
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            if value is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            (tmp_path / "m").write_text(json.dumps(document))
            with pytest.raises(SavedFileError):
                load_file(tmp_path / "m")


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (
            "config",
            {"type": "MLP", "nin": 1, "nouts": [10**9, -2, -2], "activations": ["tanh"]},
            r"nouts\[1\] must be a whole",
        ),
        (
            "config",
            {"type": "MLP", "nin": 1, "nouts": [10**8], "activations": ["tanh"]},
            "describes 200000000 parameters",
        ),
        ("config", {"type": "MLP", "nin": True, "nouts": [1], "activations": ["tanh"]}, "nin must be a whole number"),
        ("config", {"type": "MLP", "nin": 1, "nouts": [], "activations": []}, "nouts must be a list of 1 or more"),
        ("state", {"a": True}, "state.a must be a finite number, not True"),
        ("state", {"\x1b[2J": None}, r"state\['\\x1b\[2J'\] must be a finite number, not None"),
        ("extra", [], r"extra must be a table, not \[\]"),
        ("model", 7, "model must be text, not 7"),
    ],
)
def test_the_place_and_what_should_be_there_are_named(tmp_path, model_document, part, value, words):
    (tmp_path / "m").write_text(json.dumps(model_document | {part: value}))
    with pytest.raises(SavedFileError, match=words):
        load_file(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["optimizer"].update(steps=float("inf")), "Infinity is no finite number"),
        (lambda d: d["optimizer"].update(steps=-5), r"optimizer\.steps must be a whole number from 0"),
        (lambda d: d["optimizer"].update(mean=[True]), "damaged"),
        (lambda d: d["optimizer"]["square"].__setitem__(0, -1.0), "a mean of squares is negative"),
        (lambda d: d["rng"][1].__setitem__(3, -5), r"rng\[1\]\[3\] must be a whole number from 0 to 4294967295"),
        (lambda d: d["rng"][1].pop(), r"rng\[1\] must be a list of 625"),
        (lambda d: d["best"].update(loss=10**400), "an integer of 401 digits, which no float holds"),
        (lambda d: d["best"].update(loss=10**350), r"best\.loss must be a finite number"),
        (lambda d: d["best"].update(state={}), "best must have a number for each of the model's parameters"),
        (lambda d: d.update(best=None), "best must have a number for each"),
        (lambda d: d.update(wants_best=1), "wants_best must be true or false, not 1"),
        (lambda d: d.update(epoch=1), r"epoch is 1, but history\.rows has 2"),
        (lambda d: d["history"]["rows"][1].pop("loss"), r"history\.rows\[1\] has \['accuracy', 'lr'\]"),
        (lambda d: d["history"]["rows"][1].update(loss=None), r"history\.rows\[1\] lacks the number"),
        (lambda d: d["history"]["rows"][0].update(validation_loss=1.0), r"history\.rows\[0\] has"),
        (lambda d: d["history"].update(engine="warp"), r"history\.engine must be text"),
    ],
)
def test_each_wrong_part_of_a_checkpoint(tmp_path, checkpoint_document, change, words):
    document = json.loads(json.dumps(checkpoint_document))
    change(document)
    (tmp_path / "c").write_text(json.dumps(document))
    model = net(seed=9)
    before = model.state_dict()
    with pytest.raises(SavedFileError, match=words):
        resume(tmp_path / "c", model)
    assert model.state_dict() == before


def test_deep_documents_are_refused_whatever_pythons_limit(tmp_path):
    before = sys.getrecursionlimit()
    text = '{"format": "chainrule model", "version": 1, "extra": ' + "[" * 300_000 + "]" * 300_000 + "}"
    (tmp_path / "m").write_text(text)
    for limit in (before, 1_000_000):
        sys.setrecursionlimit(limit)
        try:
            with pytest.raises(SavedFileError, match="nested more than 60 deep"):
                load_file(tmp_path / "m")
        finally:
            sys.setrecursionlimit(before)


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    loop: list = []
    loop += [loop, loop]
    shared: object = 1.0
    for _ in range(50):
        shared = [shared, shared]
    deep: list = []
    for _ in range(50_000):
        deep = [deep]
    nested = (loop, shared, deep)
    for bad in (*nested, "\ud800", {"\ud800": 1}, {1: 2, "1": 3}, 10**5000, {(1, 2): 3}, {1, 2}, float("nan")):
        with pytest.raises(ArgumentError, match="JSON cannot hold"):
            save(net(), tmp_path / "m", note=bad)
    assert not (tmp_path / "m").exists()


def test_sizes_are_looked_at_before_anything_is_built():
    for nouts in ([10**9, -2], [10**9, "a"], [10**12, True]):
        with pytest.raises(SavedFileError, match="must be a positive whole number"):
            from_config({"type": "MLP", "nin": 1, "nouts": nouts, "activations": ["tanh", "tanh"]})
