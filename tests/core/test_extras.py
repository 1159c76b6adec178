"""Optional libraries: there, or named with the command that installs them."""

from __future__ import annotations

import sys

import pytest

from chainrule.core.extras import require
from chainrule.errors import MissingExtraError


def test_require_gives_the_module_itself_also_below_a_package():
    assert require("math", extra="plot") is sys.modules["math"]
    assert require("xml.dom.minidom", extra="plot").__name__ == "xml.dom.minidom"


@pytest.mark.parametrize("module", ["no_such_library", "no_such_library.part"])
def test_require_names_the_library_and_the_one_command(module):
    with pytest.raises(MissingExtraError) as caught:
        require(module, extra="plot")
    assert "no_such_library," in str(caught.value)
    assert "pip install 'chainrule[plot]'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_require_does_not_blame_an_installed_library_for_what_it_lacks_itself(tmp_path, monkeypatch):
    (tmp_path / "half_installed_library.py").write_text("import some_dependency_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        require("half_installed_library", extra="plot")
    assert not isinstance(caught.value, MissingExtraError)
    assert caught.value.name == "some_dependency_that_is_missing"


def test_require_names_the_extra_when_only_a_part_of_the_library_is_missing():
    with pytest.raises(MissingExtraError, match=r"chainrule\[plot\]"):
        require("xml.no_such_part", extra="plot")
