"""Models on disk: exact, whole, and refused as a whole."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Value
from chainrule.errors import ArgumentError, ChainruleError, SavedFileError
from chainrule.nn import MLP, Linear, Module
from chainrule.saving.models import load, load_file, read_document, save, write_document

finite = st.floats(allow_nan=False, allow_infinity=False)


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


class Line(Module):
    def __init__(self, slope: float = 2.0) -> None:
        self.slope, self.shift = Value(slope), Value(1.0)

    def forward(self, x):
        return self.slope * x[0] + self.shift


class Doubled(MLP):
    """Inherits config() from MLP, but is not what that would rebuild."""

    def forward(self, x):
        return super().forward([2 * xi for xi in x])


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.json"
    save(MLP(2, [3, 1], activation="tanh", seed=1), path, note="a note")
    return path


def edit(path, change):
    """Changes the content of a saved file as a person would: the checksum line is taken out."""
    document = json.loads(path.read_text())
    del document["sha256"]
    change(document)
    path.write_text(json.dumps(document))


@given(numbers=st.lists(finite, min_size=13, max_size=13))
def test_every_float_comes_back_to_the_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("bits") / "model.json"
    model = MLP(2, [3, 1], seed=1)
    for parameter, x in zip(model.parameters(), numbers, strict=True):
        parameter.data = x
    save(model, path)
    assert [p.data.hex() for p in load(path).parameters()] == [x.hex() for x in numbers]


def test_the_rebuilt_model_predicts_the_same(saved):
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    assert load(saved)([0.3, -0.7]).data == model([0.3, -0.7]).data
    assert load(saved).config() == model.config()


def test_extra_comes_back(tmp_path):
    extra = {"classes": ["Äpfel", "☃"], "encoder": {"means": [0.1, 1e-300], "kind": None, "deep": [[1], {"a": True}]}}
    save(MLP(1, [1]), tmp_path / "m.json", **extra)
    assert load_file(tmp_path / "m.json")[1] == extra


def test_a_model_of_ones_own_needs_a_model_to_load_into(tmp_path):
    save(Line(3.5), tmp_path / "line.json")
    with pytest.raises(SavedFileError, match=r"holds a Line of your own making: load it with load\(path, model=Line"):
        load(tmp_path / "line.json")
    line = Line()
    assert load(tmp_path / "line.json", line) is line
    assert line.slope.data == 3.5


def test_a_subclass_is_not_rebuilt_as_its_base(tmp_path):
    model = Doubled(2, [1], seed=1)
    save(model, tmp_path / "m.json")
    with pytest.raises(SavedFileError, match="holds a Doubled"):
        load(tmp_path / "m.json")
    again = load(tmp_path / "m.json", Doubled(2, [1], seed=2))
    assert again([1.0, 2.0]).data == model([1.0, 2.0]).data


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_refused_and_the_old_file_stays(saved, number):
    before = saved.read_bytes()
    model = MLP(2, [3, 1], seed=1)
    model.layers[0].neurons[1].w[0].data = number
    with pytest.raises(ArgumentError, match=r"its parameter layers\.0\.neurons\.1\.w\.0 is"):
        save(model, saved)
    with pytest.raises(ArgumentError, match="JSON cannot hold"):
        save(MLP(1, [1]), saved, score=number)
    with pytest.raises(ArgumentError, match="JSON cannot hold"):
        save(MLP(1, [1]), saved, score=object())
    assert saved.read_bytes() == before
    assert names(saved.parent) == [saved.name]


def test_every_cut_and_every_changed_byte_is_refused_with_one_line(saved):
    content = saved.read_bytes()
    damaged = [content[:length] for length in range(0, len(content) - 2, 7)]
    damaged += [content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] for i in range(0, len(content) - 1, 3)]
    for bad in damaged:
        saved.write_bytes(bad)
        with pytest.raises(SavedFileError) as error:
            load(saved)
        assert "\n" not in str(error.value)
        assert str(saved) in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"sepal,petal\n1,2\n",
        b"[" * 100_000,
        b'{"format": "other"}',
    ],
    ids=["empty", "object", "list", "null", "text", "binary", "csv", "deep", "other"],
)
def test_foreign_files(tmp_path, content):
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(SavedFileError, match="is not a chainrule model file"):
        load(path)


def test_a_checkpoint_is_no_model(tmp_path):
    write_document(tmp_path / "c", "chainrule checkpoint", 1, {})
    with pytest.raises(SavedFileError, match="is not a chainrule model file: it is a chainrule checkpoint"):
        load(tmp_path / "c")


def test_a_newer_version(saved):
    edit(saved, lambda document: document.update(version=2))
    with pytest.raises(SavedFileError, match=r"newer chainrule .*version 2, this one reads up to 1"):
        load(saved)


def test_missing_and_directory(tmp_path):
    with pytest.raises(SavedFileError, match="does not exist"):
        load(tmp_path / "none.json")
    with pytest.raises(SavedFileError, match="is a directory"):
        load(tmp_path)
    with pytest.raises(SavedFileError, match="is a directory"):
        save(MLP(1, [1]), tmp_path)


def drop_one(document):
    del document["state"]["layers.0.neurons.0.b"]


@pytest.mark.parametrize(
    "change",
    [
        drop_one,
        lambda d: d["state"].update(more=1.0),
        lambda d: d["state"].update({"layers.0.neurons.0.b": "1.0"}),
        lambda d: d["state"].update({"layers.0.neurons.0.b": True}),
        lambda d: d["state"].update({"layers.0.neurons.0.b": None}),
        lambda d: d["state"].update({"layers.0.neurons.0.b": float("nan")}),
        lambda d: d["state"].update({"layers.0.neurons.0.b": 10**400}),
        lambda d: d.update(state=[1.0]),
        lambda d: d.update(extra=None),
        lambda d: d.update(config="MLP"),
        lambda d: d.update(version=True),
        lambda d: d.update(version="1"),
        lambda d: d["config"].update(type="CNN"),
        lambda d: d["config"].update(nin=10**12),
        lambda d: d["config"].update(nin=-2),
        lambda d: d["config"].update(nin="2"),
        lambda d: d["config"].update(nouts=[3, "1"]),
        lambda d: d["config"].update(nouts=[]),
        lambda d: d["config"].update(nouts=7),
        lambda d: d["config"].update(activations=["tahn", "linear"]),
        lambda d: d["config"].update(activations=["tanh"]),
        lambda d: d["config"].update(activations=[["tanh"], "linear"]),
        lambda d: d["config"].pop("nin"),
        lambda d: d.pop("state"),
    ],
)
def test_every_wrong_part_is_refused_by_name(saved, change):
    edit(saved, change)
    with pytest.raises(SavedFileError) as error:
        load(saved)
    assert "\n" not in str(error.value)


def test_a_file_edited_on_purpose_is_taken(saved):
    edit(saved, lambda document: document["state"].update({"layers.0.neurons.0.b": 0.25}))
    assert load(saved).layers[0].neurons[0].b.data == 0.25


@pytest.mark.parametrize(
    "model",
    [MLP(2, [4, 1], activation="tanh"), MLP(3, [3, 1], activation="tanh"), MLP(2, [3, 1]), Linear(2, 3), Line()],
)
def test_a_file_that_does_not_fit_leaves_the_model_as_it_was(saved, model):
    before = model.state_dict()
    with pytest.raises(SavedFileError, match="does not fit the model"):
        load(saved, model)
    assert model.state_dict() == before


def test_documents_keep_their_content(tmp_path):
    content = {"a": [1, 2.5, None], "b": {"c": "text"}}
    write_document(tmp_path / "d", "chainrule test", 3, content)
    assert read_document(tmp_path / "d", "chainrule test", 4) == content


def test_integer_keys_become_text_and_are_not_called_damage(tmp_path):
    save(MLP(1, [1]), tmp_path / "m.json", names={10: "ten", 9: "nine"})
    assert load_file(tmp_path / "m.json")[1] == {"names": {"10": "ten", "9": "nine"}}


def test_all_errors_are_chainrules_own():
    assert issubclass(SavedFileError, ChainruleError)
    assert issubclass(SavedFileError, ValueError)
