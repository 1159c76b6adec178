"""Builds the compiled engine where there is a C compiler; without one, chainrule is its Python files alone.

CHAINRULE_PURE=1 at build time makes a wheel without compiled parts, for any machine.
"""

import os
import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
COMPILED = ["operation.py", "storage.pyx", "engine.py", "nn/linear.py", "nn/module.py", "nn/layers.py"]
FLAGS = ["-O3", "-ffp-contract=off"]  # no fused multiply-add: the same bits as Python's own arithmetic


def extensions():
    """The extension modules, as C files that Cython has made; the pure engine is used where they do not compile."""
    from Cython.Build import cythonize  # noqa: PLC0415 - a build without compiled parts needs no Cython
    from setuptools import Extension  # noqa: PLC0415

    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    os.environ["CHAINRULE_PURE"] = "1"
    from generate_native import native  # noqa: PLC0415

    import chainrule.ops  # noqa: PLC0415

    (ROOT / "src/chainrule/native.pxd").write_text(native(chainrule.ops), encoding="utf-8")
    flags = FLAGS + os.environ.get("CHAINRULE_CFLAGS", "").split()
    modules = [
        Extension(
            f"chainrule.{file.rpartition('.')[0].replace('/', '.')}",
            [f"src/chainrule/{file}"],
            extra_compile_args=flags,
            optional=True,
        )
        for file in COMPILED
    ]
    directives = {"language_level": "3", "annotation_typing": False, "cdivision": True}
    return cythonize(modules, build_dir="build/cython", compiler_directives=directives)


setup(ext_modules=[] if os.environ.get("CHAINRULE_PURE") else extensions())
