"""The bridge to safetensors: exact, whole, and readable by others."""

from __future__ import annotations

import pytest

from chainrule import Value
from chainrule.bridges.safetensors import load_safetensors, save_safetensors
from chainrule.errors import ArgumentError, SavedFileError
from chainrule.nn import MLP, Linear, Module

numpy = pytest.importorskip("numpy")
library = pytest.importorskip("safetensors.numpy")


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


class Parts(Module):
    """Parameters in all the forms that there are: alone, in a list, in lists of lists, and in a ragged one."""

    def __init__(self, start: float) -> None:
        self.alone = Value(start)
        self.linear = Linear(3, 2, bias=False)
        self.ragged = [[Value(start)], [Value(start + 1), Value(start + 2)]]
        self.named = {"b": Value(start), "a": [Value(start + 3)]}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    save_safetensors(MLP(2, [3, 1], activation="tanh", seed=1), path)
    return path


def test_numbers_come_back_to_the_bit(tmp_path):
    model = MLP(2, [3, 1], seed=1)
    for parameter, x in zip(model.parameters(), [0.1, -0.0, 5e-324, 1.7976931348623157e308], strict=False):
        parameter.data = x
    save_safetensors(model, tmp_path / "m")
    other = MLP(2, [3, 1], seed=2)
    load_safetensors(other, tmp_path / "m")
    assert [p.data.hex() for p in other.parameters()] == [p.data.hex() for p in model.parameters()]


def test_others_read_arrays(tmp_path):
    model = Parts(1.0)
    save_safetensors(model, tmp_path / "m")
    arrays = library.load_file(tmp_path / "m")
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
        "alone": ((), "float64"),
        "linear.w": ((2, 3), "float64"),
        "ragged.0.0": ((), "float64"),
        "ragged.1.0": ((), "float64"),
        "ragged.1.1": ((), "float64"),
        "named.b": ((), "float64"),
        "named.a": ((1,), "float64"),
    }
    assert arrays["linear.w"].tolist() == [[w.data for w in row] for row in model.linear.w]


def test_a_model_of_every_form_comes_back(tmp_path):
    model, other = Parts(1.0), Parts(7.0)
    save_safetensors(model, tmp_path / "m")
    load_safetensors(other, tmp_path / "m")
    assert other.state_dict() == model.state_dict()


def test_arrays_of_another_program_are_taken_if_they_fit(tmp_path):
    library.save_file({"w": numpy.array([[1.0, 2.0]]), "b": numpy.array([3.0])}, tmp_path / "m")
    linear = Linear(2, 1)
    load_safetensors(linear, tmp_path / "m")
    assert linear.state_dict() == {"w.0.0": 1.0, "w.0.1": 2.0, "b.0": 3.0}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w": [[1.0, 2.0]]}, "lacks the array 'b'"),
        ({"w": [[1.0, 2.0]], "b": [3.0], "c": [1.0]}, "which has no array 'c'"),
        ({"w": [[1.0, 2.0, 3.0]], "b": [3.0]}, r"w is float64 of shape \(1, 3\), not float64 of shape \(1, 2\)"),
        ({"w": [[1.0, float("nan")]], "b": [3.0]}, r"w\.0\.1 is nan"),
        ({"w": [[1, 2]], "b": [3.0]}, "w is int64"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, message):
    library.save_file({name: numpy.array(array) for name, array in arrays.items()}, tmp_path / "m")
    linear = Linear(2, 1)
    before = linear.state_dict()
    with pytest.raises(SavedFileError, match=message):
        load_safetensors(linear, tmp_path / "m")
    assert linear.state_dict() == before


def test_every_cut_and_changed_byte_is_refused(saved):
    content = saved.read_bytes()
    damaged = [content[:length] for length in range(0, len(content), 9)]
    damaged += [content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] for i in range(0, len(content), 5)]
    model = MLP(2, [3, 1], activation="tanh", seed=2)
    before = model.state_dict()
    for bad in damaged:
        saved.write_bytes(bad)
        with pytest.raises(SavedFileError) as error:
            load_safetensors(model, saved)
        assert "\n" not in str(error.value)
        assert model.state_dict() == before


def test_another_activation_is_another_model(saved):
    with pytest.raises(SavedFileError, match="does not fit the model: its activations"):
        load_safetensors(MLP(2, [3, 1], activation="relu"), saved)


def test_what_is_not_finite_is_refused_and_the_old_file_stays(saved):
    before = saved.read_bytes()
    model = MLP(2, [3, 1])
    model.layers[0].neurons[0].b.data = float("inf")
    with pytest.raises(ArgumentError, match="is inf"):
        save_safetensors(model, saved)
    assert saved.read_bytes() == before
    assert names(saved.parent) == [saved.name]


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 40, b"a,b\n1,2\n", b'{"format": "chainrule model"}'])
def test_foreign_files(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(SavedFileError, match=r"no safetensors file|does not fit"):
        load_safetensors(MLP(1, [1]), tmp_path / "m")


def test_missing_and_directory(tmp_path):
    with pytest.raises(SavedFileError, match="does not exist"):
        load_safetensors(MLP(1, [1]), tmp_path / "none")
    with pytest.raises(SavedFileError, match="is a directory"):
        load_safetensors(MLP(1, [1]), tmp_path)
    with pytest.raises(SavedFileError, match="there is no folder"):
        save_safetensors(MLP(1, [1]), tmp_path / "no" / "m")
