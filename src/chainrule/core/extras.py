"""Optional libraries, which only some parts of chainrule need: its extras."""

from __future__ import annotations

import importlib
from types import ModuleType

from chainrule.errors import MissingExtraError


def require(module: str, *, extra: str) -> ModuleType:
    """Imports `module`, or raises an error that names the `pip install` for it.

    Args:
        module: the name to import, such as `"matplotlib.pyplot"`.
        extra: the extra of chainrule that installs it, such as `"plot"`.

    Returns:
        The imported module.

    Raises:
        MissingExtraError: the library is not installed.

    >>> require("math", extra="plot").sqrt(4.0)
    2.0
    >>> require("no_such_library", extra="plot")
    Traceback (most recent call last):
        ...
    chainrule.errors.MissingExtraError: this needs no_such_library, which is not installed: pip install ...
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != library:
            raise  # one of the library's own dependencies is missing: its message is better
        message = f"this needs {library}, which is not installed: pip install 'chainrule[{extra}]'"
        raise MissingExtraError(message) from None
