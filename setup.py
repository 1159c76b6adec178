"""Builds the compiled engine where there is a C compiler; without one, chainrule is its Python files alone.

CHAINRULE_PURE=1 at build time makes a wheel without compiled parts, for any machine. CHAINRULE_CFLAGS has further flags
for the C compiler; -DCHAINRULE_NO_FREELIST among them lets memory checkers see every node come and go.
"""

import os
import sys
from multiprocessing import get_start_method
from pathlib import Path

from setuptools import Extension, setup

ROOT = Path(__file__).parent
FLAGS = ["-g0", "-ffp-contract=off"]  # no fused multiply-add: the same bits as Python's own arithmetic
OPTIMIZED = {
    **dict.fromkeys(("engine", "storage.nodes", "storage.value_base", "nn.linear"), "-O3"),
    **dict.fromkeys([f"compiler.calling.{name}" for name in ("forms", "plans", "batch_plans")], "-O3"),
    **dict.fromkeys(("core.operation", "nn.module", "nn.layers"), "-O1"),
}
"""How far the C compiler goes, by how often a module's code runs. With -O3 everywhere the build takes twice the time,
and models are some 2 % faster."""

DIRECTIVES = {"language_level": "3", "annotation_typing": False, "cdivision": True}


def source_of(module: str) -> str:
    """The file that Cython compiles: a .pyx where the plain Python file has a counterpart, else that file itself."""
    stem = f"src/chainrule/{module.replace('.', '/')}"
    return f"{stem}.pyx" if (ROOT / f"{stem}.pyx").exists() else f"{stem}.py"


def extensions() -> list[Extension]:
    """The extension modules, as C files that Cython has made; the pure engine is used where they do not compile."""
    from Cython.Build import cythonize  # noqa: PLC0415 - a build without compiled parts needs no Cython

    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    os.environ["CHAINRULE_PURE"] = "1"  # an older build may lie beside the sources
    from building.native import native  # noqa: PLC0415

    import chainrule.ops  # noqa: PLC0415
    from chainrule.core.builds import COMPILED  # noqa: PLC0415

    made = native(chainrule.ops, print)
    file = ROOT / "src" / "chainrule" / "storage" / "native.pxd"
    if not file.exists() or file.read_text(encoding="utf-8") != made:
        file.write_text(made, encoding="utf-8")
    flags = FLAGS + os.environ.get("CHAINRULE_CFLAGS", "").split()
    modules = [
        Extension(
            f"chainrule.{module}",
            [source_of(module)],
            include_dirs=["src/chainrule/storage"],
            depends=["src/chainrule/storage/slabs.h"],
            extra_compile_args=[OPTIMIZED.get(module, "-Og"), *flags],
            extra_link_args=[flag for flag in flags if flag.startswith("-fsanitize")],
        )
        for module in COMPILED
    ]
    side_by_side = os.cpu_count() if get_start_method() == "fork" else 0  # others would run this file once more
    compiled = cythonize(modules, nthreads=side_by_side, build_dir="build/cython", compiler_directives=DIRECTIVES)
    for extension in compiled:
        extension.optional = True
    return compiled


setup(
    ext_modules=[] if os.environ.get("CHAINRULE_PURE") else extensions(),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},  # the C compiler takes nearly all of the time
)
