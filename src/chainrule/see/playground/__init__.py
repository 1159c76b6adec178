"""The playground: a small net that trains in a page, on the engine of pages, and shows each of its graphs."""

from chainrule.see.playground.page import playground

__all__ = ["playground"]
