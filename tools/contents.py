"""Checks the files of a wheel and an sdist: python tools/contents.py KIND WHEEL SDIST

The files that git tracks are the reference. A wheel has the modules and the metadata; a "compiled" one also has all
compiled modules, a "pure" one has none. The sdist has all that a wheel is built from. The exit code is 1, with a line
for each file that is missing or does not belong there.
"""

import runpy
import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
BUILDS = ROOT / "src" / "chainrule" / "core" / "builds.py"
METADATA = {"METADATA", "RECORD", "WHEEL", "top_level.txt", "entry_points.txt", "licenses/LICENSE"}
BUILD = {"pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"}
DATA = {".js", ".css", ".toml", ".md", ".json"}
MADE = {"PKG-INFO", "setup.cfg"}


def tracked(folder: str, suffixes: set[str]) -> set[str]:
    """The files that git tracks in a folder, relative to it.

    Raises:
        SystemExit: git is not installed or cannot list them; the message says why.
    """
    try:
        listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise SystemExit("tools/contents.py asks git which files there are: install git") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"git cannot list the files of {ROOT}: {error.stderr.strip()}") from None
    paths = [PurePosixPath(name) for name in listed.stdout.splitlines()]
    return {str(name.relative_to(folder)) for name in paths if name.suffix in suffixes}


def of_wheel(names: list[str], modules: set[str], compiled: set[str]) -> list[str]:
    """The faults of the files of a wheel, one line each.

    Args:
        names: the files of the wheel.
        modules: the Python files, and the parts of pages, that it must have.
        compiled: the modules that it must also have as extension modules, by name below `chainrule`.
    """
    wanted = {f"chainrule/{name}" for name in modules} | {"chainrule/py.typed"}
    extensions = {name for name in names if name.endswith(tuple(EXTENSION_SUFFIXES))}
    built = {name.partition(".")[0].removeprefix("chainrule/").replace("/", ".") for name in extensions}
    info = {name for name in names if ".dist-info/" in name}
    return [
        *_differences("wheel", set(names) - extensions - info, wanted),
        *_differences("compiled wheel's modules" if compiled else "pure wheel", built, compiled),
        *_differences("metadata", {name.partition(".dist-info/")[2] for name in info}, METADATA),
    ]


def of_sdist(names: list[str]) -> list[str]:
    """The faults of the files of an sdist, one line each."""
    inside = {name.partition("/")[2] for name in names} - {""}
    wanted = {
        f"src/chainrule/{name}" for name in tracked("src/chainrule", {".py", ".pyx", ".pxd", ".h", ".typed", *DATA})
    }
    wanted |= {f"building/{name}" for name in tracked("building", {".py"})}
    files = {name for name in inside if not name.startswith("src/chainrule.egg-info/")}
    return _differences("sdist", files, wanted | BUILD | MADE)


def _differences(what: str, actual: set[str], expected: set[str]) -> list[str]:
    wrong = [f"{name} is no part of the {what}" for name in sorted(actual - expected)]
    return wrong + [f"{name} is missing in the {what}" for name in sorted(expected - actual)]


def main(kind: str, wheel: str, sdist: str) -> int:
    compiled = {"compiled": runpy.run_path(str(BUILDS))["COMPILED"], "pure": ()}[kind]
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        wrong = of_wheel(names, tracked("src/chainrule", {".py", *DATA}), set(compiled))
    with tarfile.open(sdist) as archive:
        wrong += of_sdist([member.name for member in archive.getmembers() if member.isfile()])
    print(*wrong or [f"the {kind} wheel and the sdist hold what they should"], sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
