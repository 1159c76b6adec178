"""Watching a class that is not ours: properties and wrappers stand in the place of its attributes within a `with`."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

from chainrule.errors import ArgumentError
from chainrule.see.recording.anatomy import Attribute, functions_of
from chainrule.see.recording.foreign import ForeignRecorder

_NOTHING = object()
_LEFT_ALONE = {
    *("__new__", "__init__", "__repr__", "__str__", "__hash__", "__eq__", "__ne__", "__format__", "__del__"),
    *("__getattribute__", "__getattr__", "__setattr__", "__delattr__", "__init_subclass__", "__class_getitem__"),
    *("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__sizeof__", "__dir__", "__copy__"),
    *("__deepcopy__", "__post_init__"),
}
"""Methods that make no result of an operation."""
_ASK = {"__float__", "__int__", "__index__", "__lt__", "__le__", "__gt__", "__ge__", "__round__", "__trunc__"}
"""Methods by which a program asks for a number."""


class Watch(contextlib.AbstractContextManager):
    """Watches a class within a `with`, in this thread, and puts everything back.

    Args:
        recorder: is told what happens.

    Raises:
        ArgumentError: on entering, the class cannot be changed.
    """

    def __init__(self, recorder: ForeignRecorder) -> None:
        self.recorder, self.cls = recorder, recorder.cls
        self._before: dict[str, Any] = {}
        self._calls: list[tuple[str, tuple[Any, ...]]] = []
        self._building: list[int] = []  # the objects whose __init__ is running
        self._depth = 0
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        names = self.recorder.names
        try:
            self._replace(names.data, self._watched(self.recorder.data, self.recorder.data_written, self._data_read))
            self._replace(names.grad, self._watched(self.recorder.grad, self._grad_written, None))
            for name, method in functions_of(self.cls).items():
                if name == names.backward:
                    self._replace(name, self._backward(method))
                elif name not in _LEFT_ALONE and name not in self._before:
                    is_static = isinstance(method, staticmethod)
                    wrapped = self._method(name, method.__func__ if is_static else method)
                    self._replace(name, staticmethod(wrapped) if is_static else wrapped)
            self._replace("__init__", self._init(self.cls.__init__))  # type: ignore[misc]
        except TypeError as error:
            self.__exit__()
            raise ArgumentError(f"{self.cls.__name__} cannot be watched: {error}") from None
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        while self._before:
            name, thing = self._before.popitem()
            if thing is _NOTHING:
                delattr(self.cls, name)
            else:
                setattr(self.cls, name, thing)

    def _replace(self, name: str, thing: Any) -> None:
        before = vars(self.cls).get(name, _NOTHING)
        setattr(self.cls, name, thing)
        self._before[name] = before

    def _sees(self) -> bool:
        return threading.get_ident() == self._thread

    # ---- numbers ----
    def _watched(
        self, attribute: Attribute, wrote: Callable[[Any, Any, Any], None], read: Callable[[Any, Any], None] | None
    ) -> property:
        def get(node: Any) -> Any:
            found = attribute.get(node)
            if read is not None and self._sees():
                read(node, found)
            return found

        def put(node: Any, x: Any) -> None:
            if not self._sees() or id(node) in self._building or (self._calls and self.recorder.is_being_made(node)):
                attribute.put(node, x)
                return
            self.recorder.before_write(node)
            before = attribute.peek(node)
            attribute.put(node, x)
            wrote(node, before, x)

        return property(get, put, attribute.delete)

    def _data_read(self, node: Any, found: Any) -> None:
        if not self._depth and not self._calls and not self._building:
            self.recorder.read(node, "data", found, sys._getframe(2))

    def _grad_written(self, node: Any, before: Any, after: Any) -> None:
        self.recorder.grad_written(node, before, after, sys._getframe(2))

    # ---- methods ----
    def _init(self, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def init(node: Any, *arguments: Any, **named: Any) -> None:
            self._building.append(id(node))
            try:
                original(node, *arguments, **named)
            finally:
                self._building.remove(id(node))
            if self._sees():
                self.recorder.began_making(node, tuple(self._calls))

        return init

    def _method(self, name: str, original: FunctionType) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(*arguments: Any, **named: Any) -> Any:
            if not self._sees():
                return original(*arguments, **named)
            is_outermost = not self._calls and not self._depth
            self._calls.append((name, (*arguments, *named.values())))
            try:
                answer = original(*arguments, **named)
            finally:
                self._calls.pop()
                if is_outermost:
                    self.recorder.settle()
            if is_outermost:
                self._asked(name, arguments, answer, sys._getframe(1))
            return answer

        return method

    def _asked(self, name: str, arguments: tuple[Any, ...], answer: Any, frame: Any) -> None:
        """A truth, or a number, for which a program asked by a method."""
        if name == "__bool__":
            self.recorder.read(arguments[0], "truth", answer, frame)
        elif name in _ASK and not isinstance(answer, self.cls):
            for x in arguments:
                if isinstance(x, self.cls):
                    self.recorder.read(x, "data", self.recorder.data.peek(x), frame)

    def _backward(self, original: Any) -> Callable[..., Any]:
        @functools.wraps(original)
        def backward(root: Any, *arguments: Any, **named: Any) -> Any:
            if not self._sees():
                return original(root, *arguments, **named)
            self._depth += 1
            whole = False
            if self._depth == 1:
                self.recorder.backward_began(root)
            elif self._depth == 2:
                self.recorder.note("backward() calls itself: what each call hands on cannot be seen")
            try:
                found = original(root, *arguments, **named)
                whole = True
                return found
            except RecursionError:
                self.recorder.note("backward() ended in a RecursionError: the graph is deeper than Python's stack")
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.recorder.backward_ended(whole)

        return backward
