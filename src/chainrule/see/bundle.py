"""Joins ES modules into one inline script, and makes a page of it that runs nothing else.

A page opens from a file, where browsers load no modules. So the modules are put one behind the other, those that are
imported first, without their import lines; all their names then share one scope, and none may stand twice. The content
security policy of a page has the hashes of its script and style, so whatever a stranger's data holds does not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "page"
"""The folder of the modules of pages."""

_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\.(?:\./[\w-]+)?/([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let|var) ([\w$]+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*|\bimport\s*\(", re.MULTILINE)
_COMMENT = re.compile(r"/\*\*.*?\*/ ?|^[ \t]*//[^\n]*\n", re.MULTILINE | re.DOTALL)


class BundleError(ValueError):
    """Modules that cannot be joined; the message says which, and why."""


def modules(*folders: Path) -> dict[str, str]:
    """The texts of the modules in some folders, by file name."""
    return {file.name: file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.glob("*.js"))}


def joined(texts: Mapping[str, str], main: str) -> str:
    r"""Joins a module, and all that it imports, into one text.

    Args:
        texts: modules by file name; they import each other by `import { a } from "./name.js";`, also from
            `"../folder/name.js"`.
        main: the name of the module that runs.

    Raises:
        BundleError: a module is missing, imports in another way or in a circle, or two have a name in common.

    >>> texts = {"a.js": 'import { two } from "./b.js";\nalert(two);\n', "b.js": "export const two = 2;\n"}
    >>> print(joined(texts, "a.js"))
    const two = 2;
    <BLANKLINE>
    alert(two);
    <BLANKLINE>
    """
    needed: dict[str, list[str]] = {}
    todo = [main]
    while todo:
        name = todo.pop()
        if name not in texts:
            raise BundleError(f"there is no module {name}")
        if name not in needed:
            needed[name] = _IMPORT.findall(texts[name])
            todo += needed[name]
    try:
        order = list(TopologicalSorter(needed).static_order())
    except CycleError as error:
        raise BundleError(f"modules import each other in a circle: {' → '.join(error.args[1])}") from None
    _refuse_same_names({name: texts[name] for name in order})
    return "\n".join([_plain(name, texts[name]) for name in order])


def _plain(name: str, text: str) -> str:
    """A module without types, comments of whole lines, imports, exports and indentation."""
    plain = _EXPORT.sub("", _IMPORT.sub("", _COMMENT.sub("", text)))
    if other := _OTHER.search(plain):
        raise BundleError(f"{name} imports or exports in a way that cannot be joined: {other.group()}")
    plain = re.sub(r"\n[ \t\n]*\n", "\n", plain).lstrip("\n")
    if any(line.count("`") % 2 for line in plain.split("\n")):
        return plain  # a text over several lines, in which blanks count
    return re.sub(r"^[ \t]+", "", plain, flags=re.MULTILINE)


def _refuse_same_names(texts: Mapping[str, str]) -> None:
    owner: dict[str, str] = {}
    for module, text in texts.items():
        for name in _NAME.findall(text):
            if name in owner:
                raise BundleError(f"{name} stands in {owner[name]} and in {module}: joined, they share one scope")
            owner[name] = module


def page_of(title: str, script: str, style: str, data: Mapping[str, Any], *, workers: bool = False) -> str:
    """A page of one script, one style sheet and the data for the script, which may come from strangers.

    Args:
        title: the title of the page.
        script: the text of one module, which finds the data in the element `data`.
        style: the style sheet.
        data: what JSON can hold.
        workers: whether the script may start workers of its own text.
    """
    for what, text in (("script", script), ("style", style)):
        if f"</{what}" in text.lower():
            raise BundleError(f"a {what} with </{what} in it would end there")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    policy += "; worker-src blob:" if workers else ""
    return (
        '<!doctype html>\n<!-- a page of chainrule -->\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<script type="application/json" id="data">{_inert(data)}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _inert(data: Mapping[str, Any]) -> str:
    """JSON in which nothing can end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return re.sub("[<>&\u2028\u2029]", lambda letter: escapes[letter.group()], text)
