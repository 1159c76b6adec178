"""Whether a wheel and an sdist hold what they should, and nothing else: python tools/contents.py WHEEL SDIST

What git tracks is what there is. The wheel has the modules, the compiled ones beside them, and the metadata; the sdist
all that a wheel is built from. Exit code 1, with a line for each file that is missing or does not belong there.
"""

import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
METADATA = {"METADATA", "RECORD", "WHEEL", "top_level.txt", "entry_points.txt", "licenses/LICENSE"}
BUILD = {"pyproject.toml", "setup.py", "generate_native.py", "MANIFEST.in", "README.md", "LICENSE"}
MADE = {"PKG-INFO", "setup.cfg"}


def tracked(folder: str, suffixes: set[str]) -> set[str]:
    """The files that git tracks below a folder, from there."""
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [PurePosixPath(name) for name in listed.stdout.splitlines()]
    return {str(name.relative_to(folder)) for name in found if name.suffix in suffixes}


def of_wheel(names: list[str]) -> list[str]:
    """What is wrong with the files of a wheel: one line each."""
    modules = {f"chainrule/{name}" for name in tracked("src/chainrule", {".py"})} | {"chainrule/py.typed"}
    compiled = {name for name in names if name.endswith(tuple(EXTENSION_SUFFIXES))}
    info = {name for name in names if ".dist-info/" in name}
    wrong = [f"{name} is no part of a wheel" for name in sorted(set(names) - modules - compiled - info)]
    wrong += [f"{name} is missing" for name in sorted(modules - set(names))]
    sources = {name.removesuffix(".py") for name in modules}
    wrong += [f"{name} has no source" for name in sorted(compiled) if name.partition(".")[0] not in sources]
    return wrong + _differences("metadata", {name.partition(".dist-info/")[2] for name in info}, METADATA)


def of_sdist(names: list[str]) -> list[str]:
    """What is wrong with the files of an sdist."""
    inside = {name.partition("/")[2] for name in names} - {""}
    wanted = {f"src/chainrule/{name}" for name in tracked("src/chainrule", {".py", ".pyx", ".pxd", ".h", ".typed"})}
    found = {name for name in inside if not name.startswith("src/chainrule.egg-info/")}
    return _differences("sdist", found, wanted | BUILD | MADE)


def _differences(what: str, found: set[str], wanted: set[str]) -> list[str]:
    wrong = [f"{name} is no part of the {what}" for name in sorted(found - wanted)]
    return wrong + [f"{name} is missing in the {what}" for name in sorted(wanted - found)]


def main(wheel: str, sdist: str) -> int:
    with zipfile.ZipFile(wheel) as archive:
        wrong = of_wheel([name for name in archive.namelist() if not name.endswith("/")])
    with tarfile.open(sdist) as archive:
        wrong += of_sdist([member.name for member in archive.getmembers() if member.isfile()])
    print(*wrong or ["wheel and sdist hold what they should"], sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
