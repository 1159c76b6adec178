"""Small classes that hold what they are given: as frozen dataclasses, but defined in a hundredth of the time.

A dataclass has its methods compiled whenever its module is imported, which takes half a millisecond. Where there are
many small classes, that is most of the import.
"""

from __future__ import annotations

from typing import Any, dataclass_transform


@dataclass_transform(frozen_default=True)
class Fields:
    """The base of such a class: its annotated names are its fields, and a value in the class is a default.

    >>> class Point(Fields):
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0), Point(1.0, y=2.0) == Point(1.0, 2.0)
    (Point(x=1.0, y=0.0), True)
    """

    __match_args__: tuple[str, ...] = ()  # the names of the fields, as `match` wants them

    def __init_subclass__(cls) -> None:
        more = [name for name in cls.__annotations__ if name not in cls.__match_args__]
        cls.__match_args__ = (*cls.__match_args__, *more)  # type: ignore[misc]

    def __init__(self, *given: Any, **named: Any) -> None:
        fields, cls = self.__match_args__, type(self)
        first = dict(zip(fields, given, strict=False))
        wrong = [name for name in named if name in first or name not in fields]
        lacking = [name for name in fields if name not in first and name not in named and not hasattr(cls, name)]
        if len(given) > len(fields) or wrong or lacking:
            raise TypeError(f"{cls.__name__} takes {', '.join(fields)}, each once, not {(*given, *named)!r}")
        defaults = {name: getattr(cls, name) for name in fields if hasattr(cls, name)}
        self.__dict__.update(defaults | first | named)

    def _values(self) -> tuple[Any, ...]:
        return tuple([self.__dict__[name] for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = [f"{name}={x!r}" for name, x in zip(self.__match_args__, self._values(), strict=True)]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, x: Any) -> None:
        raise AttributeError(f"{type(self).__name__} stays as it was made: {name} cannot be written")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} stays as it was made: {name} cannot be deleted")
