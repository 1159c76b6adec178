"""Prints a digest of the chainrule that this Python imports: of its Python files and its compiled modules."""

import hashlib
from pathlib import Path

import chainrule

HERE = Path(chainrule.__file__).parent
FILES = sorted(file for file in HERE.rglob("*") if file.suffix in (".py", ".so", ".pyd") and file.is_file())

digest = hashlib.sha256()
for file in FILES:
    digest.update(file.relative_to(HERE).as_posix().encode() + file.read_bytes())
print(digest.hexdigest()[:10])
