"""Models as safetensors files, which PyTorch, JAX and others read: float64 arrays, exact to the last bit.

Parameters whose names differ only in the numbers at the end become one array: `layers.0.neurons.3.w.0`, `….w.1`, … are
`layers.0.neurons.3.w`, and the `w.2.1` of a `Linear` is `w[2, 1]`. A parameter on its own is an array without axes.

>>> import tempfile
>>> from chainrule.nn import MLP
>>> model, other = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
>>> with tempfile.TemporaryDirectory() as folder:
...     save_safetensors(model, f"{folder}/model.safetensors")
...     load_safetensors(other, f"{folder}/model.safetensors")
>>> other.state_dict() == model.state_dict()
True
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from chainrule.core.extras import require
from chainrule.core.files import MOST_BYTES, FilePath, atomic_write, read_file
from chainrule.errors import SavedFileError, SizeError, suggest
from chainrule.nn import Module
from chainrule.saving.models import CONFIG, check_config, check_finite, config_of
from chainrule.saving.schema import Anything, MapOf, Nullable, Record, SchemaError, Text, check, parse

FORMAT = "chainrule model"
VERSION = 1
HEADER = Record({}, optional={"__metadata__": Nullable(MapOf(Text(MOST_BYTES)))}, others=MapOf(Anything()))
"""The header of a file; safetensors itself checks the rest, such as that arrays lie within the file."""
METADATA = Record(
    {"format": Text(pattern=FORMAT), "version": Text(pattern="[1-9][0-9]{0,8}"), "config": Text(MOST_BYTES),
     "sha256": Text(pattern="[0-9a-f]{64}")},
    others=Text(MOST_BYTES),
)  # fmt: skip
"""What a file of our own says of itself."""

Arrays = dict[str, Any]
Place = tuple[str, tuple[int, ...]]


def save_safetensors(model: Module, path: FilePath) -> None:
    """Writes a model's parameters to a safetensors file, atomically.

    Args:
        model: any Module.
        path: the file; an existing one is replaced.

    Raises:
        ArgumentError: a parameter is infinite or nan.
        SavedFileError: the file cannot be written.
        MissingExtraError: safetensors or NumPy is not installed.
    """
    library = require("safetensors.numpy", extra="safetensors")
    numpy = require("numpy", extra="safetensors")
    state = model.state_dict()
    check_finite(state)
    places, shapes = _layout(list(state))
    arrays: Arrays = {name: numpy.empty(shape, dtype="<f8") for name, shape in shapes.items()}
    for name, (array, index) in places.items():
        arrays[array][index] = state[name]
    config = json.dumps(config_of(model))
    metadata = {"format": FORMAT, "version": str(VERSION), "config": config, "sha256": _checksum(config, arrays)}
    atomic_write(path, library.save(arrays, metadata=metadata))


def load_safetensors(model: Module, path: FilePath) -> None:
    """Loads the numbers of a safetensors file into a model: all of them, or none.

    A file of another program is accepted if it has float64 arrays of exactly these names and shapes.

    Args:
        model: the model, which is changed in place.
        path: the file.

    Raises:
        SavedFileError: there is no such file; it is damaged or of a newer chainrule; or it does not fit the model.
        MissingExtraError: safetensors or NumPy is not installed.
    """
    arrays, metadata = _read(path)
    if metadata.get("format") == FORMAT or "sha256" in metadata:  # either one, as the other may be damaged
        _check_metadata(path, arrays, metadata, model)
    places, shapes = _layout([name for name, _ in model.named_parameters()])
    for name in [name for name in arrays if name not in shapes]:
        raise SavedFileError(f"{path} does not fit the model, which has no array {name!r}.{suggest(name, shapes)}")
    for name, shape in shapes.items():
        if name not in arrays:
            raise SavedFileError(f"{path} does not fit the model: it lacks the array {name!r}")
        kind, found = str(arrays[name].dtype), tuple(arrays[name].shape)
        if (kind, found) != ("float64", shape):
            needed = f"float64 of shape {shape}"
            raise SavedFileError(f"{path} does not fit the model: {name} is {kind} of shape {found}, not {needed}")
    state = {name: float(arrays[array][index]) for name, (array, index) in places.items()}
    for name, x in state.items():
        if not math.isfinite(x):
            raise SavedFileError(f"{path} is damaged: {name} is {x}")
    try:
        model.load_state_dict(state)
    except SizeError as error:
        raise SavedFileError(f"{path} does not fit the model: {error}") from None


def _read(path: FilePath) -> tuple[Arrays, dict[str, str]]:
    library = require("safetensors", extra="safetensors")
    load = require("safetensors.numpy", extra="safetensors").load
    content = read_file(path)
    try:
        arrays = load(content)
        header = parse(content[8 : 8 + int.from_bytes(content[:8], "little")].decode())
        check(HEADER, header)
        return arrays, header.get("__metadata__") or {}
    except (library.SafetensorError, ValueError, KeyError, AttributeError, TypeError, OverflowError, MemoryError):
        raise SavedFileError(f"{path} is no safetensors file, or is damaged or cut short") from None


def _check_metadata(path: FilePath, arrays: Arrays, metadata: dict[str, str], model: Module) -> None:
    """Checks a file of our own: its version, its checksum, and that it holds the same kind of model."""
    try:
        check(METADATA, metadata)
        if int(metadata["version"]) > VERSION:
            known = f"format version {metadata['version']}"
            raise SavedFileError(f"{path} is from a newer chainrule ({known}): upgrade chainrule")
        if metadata["sha256"] != _checksum(metadata["config"], arrays):
            raise SavedFileError(f"{path} is damaged: its content does not match its checksum")
        config = parse(metadata["config"])
        check(Nullable(CONFIG), config)
    except SchemaError as error:
        raise SavedFileError(f"{path} is damaged: in its metadata, {error}") from None
    check_config(path, config, model)


def _layout(names: list[str]) -> tuple[dict[str, Place], dict[str, tuple[int, ...]]]:
    """For each parameter its array and its place there, and the shape of each array.

    >>> _layout(["w.0", "w.1", "b"])
    ({'w.0': ('w', (0,)), 'w.1': ('w', (1,)), 'b': ('b', ())}, {'w': (2,), 'b': ()})
    """
    groups: dict[str, dict[str, tuple[int, ...]]] = {}
    for name in names:
        parts = name.split(".")
        stem = len(parts)
        while stem > 1 and parts[stem - 1].isdecimal():
            stem -= 1
        groups.setdefault(".".join(parts[:stem]), {})[name] = tuple(int(part) for part in parts[stem:])
    places: dict[str, Place] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for array, indices in groups.items():
        shape = _shape(list(indices.values()))
        if shape is not None and array not in places:
            shapes[array] = shape
            places |= {name: (array, index) for name, index in indices.items()}
        else:  # rows of different lengths, for instance: a scalar array for each number
            shapes |= dict.fromkeys(indices, ())
            places |= {name: (name, ()) for name in indices}
    return places, shapes


def _shape(indices: list[tuple[int, ...]]) -> tuple[int, ...] | None:
    """The shape of the array that these indices fill without a gap; None if there is none."""
    if len({len(index) for index in indices}) > 1:
        return None
    shape = tuple(max(axis) + 1 for axis in zip(*indices, strict=True))
    return shape if math.prod(shape) == len(set(indices)) == len(indices) else None


def _checksum(config: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(config.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape} ".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
