"""JavaScript made from the table's own text: the values and local derivatives of operations as a module for pages."""

from __future__ import annotations

from chainrule.see.javascript.module import Written, module_of, readable, written

__all__ = ["Written", "module_of", "readable", "written"]
