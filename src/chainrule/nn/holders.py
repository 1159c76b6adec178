"""Where a Module looks for parameters, and where it does not: there, one that would be missed is refused by name."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import threading
import types
from collections import ChainMap, Counter, UserDict, UserList, deque
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from pathlib import Path
from typing import Any, NoReturn

from chainrule.core.operation import Operation
from chainrule.engine import Value
from chainrule.errors import ArgumentError

PLAIN, LEAF, ROW, MODULE, OWN_MODULE, OTHER, UNSEEN = range(1, 8)
"""The categories of classes for the walk over a Module's parts. PLAIN: holds no parameters. LEAF: a Value. ROW: a list
or tuple. MODULE: a Module of the library's, without slots. OWN_MODULE: such a Module of the user's. OTHER: another
object whose parts the walk enters. UNSEEN: an object whose parts it does not enter; it is only searched, so that no
parameter in it is missed silently."""

_USUAL: dict[Any, int] = dict.fromkeys([float, int, bool, str, type(None), Operation], PLAIN)
_USUAL |= {Value: LEAF, list: ROW, tuple: ROW, dict: OTHER}
KINDS: dict[Any, int] = dict(_USUAL)
MOST_KINDS = 1000
MOST_SEARCHED = 10_000
"""At most this many objects are searched in one walk for missed parameters: a logger may lead to all of a program."""
MOST_NESTED = 200
"""At most this many calls of `forward` may be nested in one another."""

_VIEWS = ValuesView | ItemsView | KeysView
_CODE = types.FunctionType | types.MethodType | functools.partial
_ORDERED = deque | UserList | UserDict | ChainMap | types.MappingProxyType | types.SimpleNamespace | _VIEWS
_RUNS = (
    types.FunctionType | property | classmethod | staticmethod | types.MemberDescriptorType | functools.cached_property
)


class Frozen:
    """Holds something that is not a parameter of the Module around it, such as another net, or a Value that a callback
    changes. The walk does not enter it, so it is neither trained nor saved.

    Args:
        part: what is held; the attribute `part` gives it back.

    >>> from chainrule.nn import MLP
    >>> model = MLP(2, [3, 1], seed=0)
    >>> model.target = Frozen(MLP(2, [3, 1], seed=1))
    >>> len(model.parameters()), len(model.target.part.parameters())
    (13, 13)
    """

    def __init__(self, part: Any) -> None:
        self.part = part


class Walk:
    """The state of one walk over the parts of a Module.

    Args:
        base: the class Module.

    Attributes:
        seen: the objects that were entered or passed over, by identity. They are held, so that no new object gets the
            identity of one of them.
        unseen: the objects that the walk passed over although they may hold parameters, each with its name.
        keys: for each level, the names of the parts that are still to be visited. Levels are only kept where names are
            wanted.
    """

    def __init__(self, base: type) -> None:
        self.base = base
        self.seen: dict[int, Any] = {}
        self.unseen: list[tuple[str, Any]] = []
        self.keys: list[Iterator[Any]] = [iter([""])]
        self._path: list[Any] = []

    def down(self, key: Any, parts: Any) -> None:
        """Goes a level down, to the parts of the part named `key`."""
        self.keys.append(iter(parts if type(parts) is dict else range(len(parts))))
        self._path.append(key)

    def up(self) -> None:
        """Goes a level up."""
        self.keys.pop()
        if self._path:
            self._path.pop()

    def prefix(self) -> str:
        """The beginning of the names of all parts on the present level."""
        return "".join([f"{step}." for step in self._path[1:]])  # the first is the model itself

    def opened(self, thing: Any, key: Any) -> Any:
        """The parts of an object that is neither a list, a tuple nor a plain Module.

        Returns:
            A list, or a dict by name; it is empty for an object that the walk passes over.
        """
        kind = type(thing)
        what = kind_of(kind, self.base)
        if what in (ROW, PLAIN):
            return thing if what == ROW else []
        if issubclass(kind, self.base):
            if id(kind) not in self.seen and _of_class(kind):
                self.unseen.append((f"the class {kind.__name__}", kind))
            self.seen[id(kind)] = kind
            return attributes(thing)
        parts, others = ([], [thing]) if what == UNSEEN else _parts(thing)
        self.unseen += [(f"{self.prefix()}{key}", other) for other in others]
        return parts

    def missed(self, parameters: dict[int, Any]) -> tuple[str, Any] | None:
        """The first parameter that is held only where the walk does not look.

        Args:
            parameters: the parameters that the walk met, by identity.

        Returns:
            Its name, and the object that the walk passed over and that holds it; None if no parameter was missed.
        """
        queue = deque([(name, thing, thing) for name, thing in self.unseen])
        searched: dict[int, Any] = {}
        while queue:
            name, thing, passed = queue.popleft()
            for key, part in _inside(thing, self.base):
                if len(searched) >= MOST_SEARCHED:
                    return None
                if isinstance(part, Value):
                    if part.is_leaf() and id(part) not in parameters:
                        return f"{name}{key}", passed
                elif id(part) not in self.seen and id(part) not in searched:
                    queue.append((f"{name}{key}", part, passed))
                searched[id(part)] = part
        return None


def kind_of(kind: type, base: type) -> int:
    """The category of a class for the walk; it is remembered for the next time."""
    if (known := KINDS.get(kind)) is not None:
        return known
    if len(KINDS) > MOST_KINDS:  # in a program that makes classes without end
        KINDS.clear()
        KINDS.update(_USUAL)
    KINDS[kind] = category = _kind(kind, base)
    return category


def _kind(kind: Any, base: type) -> int:
    if issubclass(kind, Value):
        return LEAF
    bare = not _slots_of(kind)
    if issubclass(kind, base):
        return OTHER if not bare else OWN_MODULE if _own_bases(kind) else MODULE
    if issubclass(kind, list | tuple) and bare and not kind.__dictoffset__:
        return ROW
    if issubclass(kind, list | tuple | dict | _ORDERED) or dataclasses.is_dataclass(kind) or _is_array(kind):
        return OTHER
    if issubclass(kind, set | frozenset | _CODE) or (_is_foreign(kind) and (kind.__dictoffset__ or not bare)):
        return UNSEEN
    return PLAIN


@functools.lru_cache(MOST_KINDS)
def _is_foreign(kind: Any) -> bool:
    """Whether a class is the user's: neither of the standard library, nor of chainrule.nn, nor a class of classes."""
    module = kind.__module__ if isinstance(kind.__module__, str) else ""
    ours = module == "chainrule.nn" or module.startswith("chainrule.nn.")
    return not ours and not _is_standard(module.partition(".")[0]) and not issubclass(kind, type | Operation | Frozen)


def _is_standard(module: str) -> bool:
    """Whether this is a module of the standard library, rather than a module of the user's that is called `code`,
    say."""
    if module not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or os.__file__  # of some there is none: they are built in
    try:
        inside = os.path.relpath(file, Path(os.__file__).parent)
    except ValueError:  # on another drive
        return False
    return not inside.startswith((os.pardir, "site-packages", "dist-packages"))


def _is_array(kind: type) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.ndarray)


_nested = threading.local()


def forward_of(part: Any, x: Any) -> Any:
    """Calls `part.forward(x)`, where the part may lead back to itself. Compiled functions that call one another without
    end would kill the process, so the depth is counted here.

    Raises:
        ArgumentError: parts hold one another in a circle, or are nested too deeply.
    """
    depth = getattr(_nested, "depth", 0)
    if depth == MOST_NESTED:
        raise ArgumentError(
            f"{type(part).__name__}.forward was reached through {depth} others: do its parts hold it, or one another?"
        )
    _nested.depth = depth + 1
    try:
        return part.forward(x)
    finally:
        _nested.depth = depth


# ---- what things hold: of their own code only what gives the items of a mapping is run -------------------------------


def attributes(thing: Any) -> dict[str, Any]:
    """The attributes of an object by name, with those in slots."""
    try:
        own = dict(object.__getattribute__(thing, "__dict__"))  # a copy, since other threads may change it
    except AttributeError:
        own = {}
    kind: Any = type(thing)
    slots = _slots_of(kind)
    return own | {name: slot.__get__(thing) for name, slot in slots.items() if _is_set(slot, thing)} if slots else own


def _is_set(slot: Any, thing: Any) -> bool:
    try:
        slot.__get__(thing)
    except AttributeError:
        return False
    return True


@functools.lru_cache(MOST_KINDS)
def _slots_of(kind: Any) -> dict[str, Any]:
    """The slots of a class and its bases, by name."""
    named = [item for base in reversed(kind.__mro__) if "__slots__" in vars(base) for item in vars(base).items()]
    return {name: slot for name, slot in named if isinstance(slot, types.MemberDescriptorType)}


def _parts(thing: Any) -> tuple[Any, list[Any]]:
    """The parts of an object of the category OTHER, as a list or as a dict by name; and the other things that it
    holds."""
    if _is_array(type(thing)):
        return _of_array(thing), []
    own: dict[str, Any] = {} if type(thing) is dict else attributes(thing)
    if isinstance(thing, UserList | UserDict):
        own = {name: part for name, part in own.items() if name != "data"}
        thing = thing.data
    if isinstance(thing, list | tuple | deque | _VIEWS):
        return list(thing), [own] if own else []
    if isinstance(thing, Mapping):
        parts = dict(thing.items())
        keys = [key for key in parts if KINDS.get(type(key)) != PLAIN]
        return parts, [x for x in (keys, own) if x]
    return own, []


def _of_array(array: Any) -> list[Any]:
    """The entries of an array of objects, as nested lists; an empty list for an array of numbers."""
    if not array.dtype.hasobject:
        return []
    nested = sys.modules["numpy"].ndarray.tolist(array)  # a masked array's own would leave out what is masked
    return nested if array.ndim else [nested]


# ---- what would be missed -----------------------------------------------------------------------------------------


def _inside(thing: Any, base: type) -> list[tuple[str, Any]]:
    """The parts of an object that may hold parameters, each with the text that follows the object's name in theirs."""
    if isinstance(thing, type):
        return _of_class(thing)
    if isinstance(thing, _CODE):
        return _of_code(thing)
    if isinstance(thing, set | frozenset):
        return [("", part) for part in list(thing) if KINDS.get(type(part)) != PLAIN]
    if _is_array(type(thing)) or isinstance(thing, list | tuple | dict | _ORDERED):
        parts, others = _parts(thing)
        named = parts.items() if isinstance(parts, dict) else enumerate(parts)
        kept = [(key, part) for key, part in named if KINDS.get(type(part)) != PLAIN]
        return [*[(f"[{key!r}]" if isinstance(key, int | str) else "[...]", part) for key, part in kept],
                *[("", other) for other in others]]  # fmt: skip
    kind: Any = type(thing)
    if isinstance(thing, base) or _is_foreign(kind) or dataclasses.is_dataclass(thing):
        return [(f".{name}", part) for name, part in attributes(thing).items() if KINDS.get(type(part)) != PLAIN]
    return []


@functools.lru_cache(MOST_KINDS)
def _own_bases(kind: Any) -> tuple[type, ...]:
    """The user's own classes among the bases of a Module."""
    return tuple([base for base in kind.__mro__ if _is_foreign(base)])


def _of_class(kind: type) -> list[tuple[str, Any]]:
    """The class attributes of the user's own classes, without functions, properties and descriptors."""
    named = [item for base in _own_bases(kind) for item in list(vars(base).items())]
    return [(f".{name}", x) for name, x in named if KINDS.get(type(x)) != PLAIN and not isinstance(x, _RUNS)]


def _of_code(code: Any) -> list[tuple[str, Any]]:
    """The variables that a function closes over, its defaults, and the object that it is bound to."""
    if isinstance(code, functools.partial):
        return [("", code.func), ("", code.args), ("", code.keywords)]
    if isinstance(code, types.MethodType):
        return [("", code.__self__), ("", code.__func__)]
    cells = zip(code.__code__.co_freevars, code.__closure__ or (), strict=True)
    closed = [(f", which closes over {name}", cell.cell_contents) for name, cell in cells if _is_filled(cell)]
    defaults = [*(code.__defaults__ or ()), *(code.__kwdefaults__ or {}).values()]
    return [*closed, *[(", as a default", x) for x in defaults]]


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def refuse(model: Any, name: str, holder: Any) -> NoReturn:
    """Raises the error that names a parameter that would be missed, and says what to do.

    Raises:
        ArgumentError: always.
    """
    kind = type(holder).__name__
    one = f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"
    if isinstance(holder, set | frozenset):
        why = f"{one} has no order, which names, files and optimisers need: make it a list"
    elif isinstance(holder, type):
        why = "what a class holds is no parameter of its objects: set it in __init__, self.w = ..."
    elif isinstance(holder, list | tuple | dict | _CODE):
        why = f"a Module does not look into {one} there: keep it in an attribute of the Module, self.w = ..., as well"
    else:
        why = f"a Module does not look into {one}: derive {kind} from nn.Module, or keep a list of its parameters"
    raise ArgumentError(
        f"{type(model).__name__} would miss the parameter in {name}: {why}; where it is to be none, keep it in "
        "nn.Frozen(...)"
    )


def refuse_same(model: Any, names: list[str]) -> NoReturn:
    """Raises the error that names two parameters with the same name, since a file could only hold one of them.

    Raises:
        ArgumentError: always.
    """
    same = next(name for name, count in Counter(names).items() if count > 1)
    raise ArgumentError(
        f"two parameters of {type(model).__name__} are called {same!r}, so a file could hold one of them only: do two "
        "keys of a dict look the same as text, such as 1 and '1'?"
    )
