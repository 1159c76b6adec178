"""Models on disk: one JSON file with the model's description, its exact numbers, and whatever belongs to it.

>>> import tempfile
>>> from chainrule.nn import MLP
>>> model = MLP(2, [3, 1], activation="tanh", seed=1)
>>> with tempfile.TemporaryDirectory() as folder:
...     save(model, f"{folder}/model.json", classes=["apple", "cherry"])
...     same, extra = load_file(f"{folder}/model.json")
>>> same.state_dict() == model.state_dict(), extra
(True, {'classes': ['apple', 'cherry']})

A file is refused as a whole or taken as a whole. Its checksum finds what a JSON parser cannot, such as one wrong digit.
"""

from __future__ import annotations

import hashlib
import json
import math
from itertools import pairwise
from typing import Any

from chainrule.core.files import FilePath, atomic_write, read_file
from chainrule.errors import ArgumentError, OperandError, SavedFileError, SizeError, shown
from chainrule.nn import MLP, Module, from_config
from chainrule.saving.schema import (
    Anything,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Nullable,
    Number,
    Record,
    SchemaError,
    Text,
    check,
    check_plain,
    parse,
)

MODEL_FORMAT = "chainrule model"
MODEL_VERSION = 1

STATE = MapOf(Number())
CONFIG = Record({"type": Text(1000)}, others=Anything())
MODEL = Record({"model": Text(1000), "config": Nullable(CONFIG), "state": STATE, "extra": MapOf(Anything())})
"""The content of a model file, beside its format, version and checksum."""

SIZE = Integer(1, 10**9)
MLP_CONFIG = Record(
    {"type": Text(pattern=MLP.__name__), "nin": SIZE, "nouts": ListOf(SIZE, 1), "activations": ListOf(Text(1000), 1)}
)
"""The description that an `MLP` is rebuilt from."""


def save(model: Module, path: FilePath, **extra: Any) -> None:
    """Writes a model to a file, atomically.

    Args:
        model: any Module. An `MLP` can be rebuilt from its file alone. For a class of your own the file holds the
            numbers, and `load` needs a model to load them into.
        path: the file; an existing one is replaced.
        extra: what else belongs to the model, as data for JSON (tuples come back as lists): an encoder, class names, ….

    Raises:
        ArgumentError: a parameter is infinite or nan, or JSON cannot hold something in `extra`.
        SavedFileError: the file cannot be written.

    >>> import tempfile
    >>> from chainrule.nn import MLP
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(MLP(2, [3, 1], seed=1), f"{folder}/model.json")
    ...     load(f"{folder}/model.json")([0.5, -1.0]) is not None
    True
    """
    state = model.state_dict()
    check_finite(state)
    kind = type(model).__name__
    content = {"model": kind, "config": config_of(model), "state": state, "extra": extra}
    write_document(path, MODEL_FORMAT, MODEL_VERSION, content, MODEL)


def load(path: FilePath, model: Module | None = None) -> Module:
    """Loads a model that `save` wrote.

    Args:
        path: the file.
        model: the model to load the numbers into; needed if the file holds a class of your own. If left out, an `MLP`
            is built.

    Returns:
        The model, which is `model` itself if that was given.

    Raises:
        SavedFileError: there is no such file; it is damaged, of another program or of a newer chainrule; or it does not
            fit `model`, which then does not change.

    >>> import tempfile
    >>> from chainrule.nn import MLP
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(MLP(2, [3, 1], seed=1), f"{folder}/model.json")
    ...     model = load(f"{folder}/model.json", MLP(2, [3, 1], seed=2))
    >>> model.state_dict() == MLP(2, [3, 1], seed=1).state_dict()
    True
    """
    return load_file(path, model)[0]


def load_file(path: FilePath, model: Module | None = None) -> tuple[Module, dict[str, Any]]:
    """Loads a model and the `extra` that was saved with it; takes and raises what `load` does."""
    content = read_document(path, MODEL_FORMAT, MODEL_VERSION, MODEL)
    state, config, extra = content["state"], content["config"], content["extra"]
    if model is None:
        model = _rebuild(path, content, config, len(state))
    else:
        check_config(path, config, model)
    try:
        model.load_state_dict(state)
    except (SizeError, OperandError) as error:
        raise SavedFileError(f"{path} does not fit the model: {error}") from None
    return model, extra


def load_extra(path: FilePath) -> dict[str, Any]:
    """Reads only the `extra` that was saved with a model; raises what `load` does for the file as such."""
    return read_document(path, MODEL_FORMAT, MODEL_VERSION, MODEL)["extra"]


def config_of(model: Module) -> dict[str, Any] | None:
    """The description that `from_config` can rebuild a model from; None for a class that it does not know."""
    try:
        config = model.config()
    except SavedFileError:
        return None
    # a subclass inherits config(), which would rebuild the base class
    return config if config.get("type") == type(model).__name__ else None


def check_config(path: FilePath, config: dict[str, Any] | None, model: Module) -> None:
    """Refuses a model of other sizes or activations than the file's.

    Raises:
        SavedFileError: they differ; the message names the difference.
    """
    own = config_of(model)
    if config is None or own is None:
        return
    for key in own:
        if config.get(key) != own[key]:
            raise SavedFileError(
                f"{path} does not fit the model: its {key} is {shown(config.get(key))}, the model's {shown(own[key])}"
            )


def check_finite(state: dict[str, float]) -> None:
    """Refuses to save a model with infinite or nan parameters.

    Raises:
        ArgumentError: names the first such parameter.
    """
    for name, x in state.items():
        if not math.isfinite(x):
            raise ArgumentError(f"the model cannot be saved: its parameter {name} is {x}")


def _rebuild(path: FilePath, content: dict[str, Any], config: dict[str, Any] | None, count: int) -> Module:
    if config is None:
        kind = content["model"] if content["model"].isidentifier() else "model"
        raise SavedFileError(f"{path} holds a {kind} of your own making: load it with load(path, model={kind}(...))")
    try:
        if config["type"] == MLP.__name__:
            check(MLP_CONFIG, config)
            if _mlp_parameters(config) != count:
                raise SavedFileError(f"it describes {_mlp_parameters(config)} parameters but holds {count}")
        return from_config(config)
    except SchemaError as error:
        raise SavedFileError(f"{path} is damaged: in its config, {error}") from None
    except SavedFileError as error:
        raise SavedFileError(f"{path} cannot be rebuilt: {error}") from None


def _mlp_parameters(config: dict[str, Any]) -> int:
    """The number of parameters of an MLP. It is checked first, so that a wrong size cannot allocate all memory."""
    sizes = [config["nin"], *config["nouts"]]
    return sum((nin + 1) * nout for nin, nout in pairwise(sizes))


# ---- the file itself: models and checkpoints are both such documents ----


def write_document(
    path: FilePath, kind: str, version: int, content: dict[str, Any], schema: Kind | None = None
) -> None:
    """Writes `content` as JSON with its format, its version and a checksum.

    Raises:
        ArgumentError: the content holds nan, inf, something that JSON cannot hold, or something that the schema
            refuses; nothing is written.
        SavedFileError: the file cannot be written.
    """
    try:
        check_plain(content)
        content = json.loads(json.dumps(content, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{path} was not written, for JSON cannot hold all of it: {error}") from None
    try:
        check(schema or Anything(), content)
    except SchemaError as error:
        raise ArgumentError(f"{path} was not written, for it could not be read again: {error}") from None
    document = {"format": kind, "version": version, "sha256": _checksum(content), **content}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    atomic_write(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_document(path: FilePath, kind: str, version: int, schema: Kind | None = None) -> dict[str, Any]:
    """Reads a file that `write_document` wrote, and checks it by the schema.

    Raises:
        SavedFileError: it cannot be read, is damaged or truncated, of another kind, or of a newer version.
    """
    raw = read_file(path)
    try:
        document = parse(raw.decode("utf-8-sig"))
    except ValueError as error:
        ours = b'"format": "chainrule ' in raw[:100]
        fault = "is damaged or cut short" if ours else f"is not a {kind} file"
        why = error if isinstance(error, SchemaError) else "it is no text in UTF-8"
        raise SavedFileError(f"{path} {fault}: {why}") from None
    found = document.pop("format", None) if isinstance(document, dict) else None
    if found != kind:
        other = f": it is a {found}" if found in ("chainrule model", "chainrule checkpoint") else ""
        raise SavedFileError(f"{path} is not a {kind} file{other}")
    its_version, checksum = document.pop("version", None), document.pop("sha256", None)
    if isinstance(its_version, bool) or not isinstance(its_version, int) or its_version < 1:
        raise SavedFileError(f"{path} is damaged: its version is {shown(its_version)}")
    if its_version > version:
        known = f"it has format version {its_version}, this one reads up to {version}"
        raise SavedFileError(f"{path} is from a newer chainrule ({known}): pip install --upgrade chainrule")
    if checksum is not None and checksum != _checksum(document):
        hint = "if you edited it on purpose, delete its line sha256"
        raise SavedFileError(f"{path} is damaged: its content does not match its checksum ({hint})")
    try:
        check(schema or Anything(), document)
    except SchemaError as error:
        raise SavedFileError(f"{path} is damaged: {error}") from None
    return document


def _checksum(content: dict[str, Any]) -> str:
    """The checksum of the content, independent of its formatting."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
