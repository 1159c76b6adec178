"""Whether a wheel and an sdist hold what they should, and nothing else: python tools/contents.py KIND WHEEL SDIST

What git tracks is what there is. The wheel has the modules and the metadata; one that is "compiled" has all compiled
modules beside them, a "pure" one none. The sdist has all that a wheel is built from. Exit code 1, with a line for each
file that is missing or does not belong there.
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
MADE = {"PKG-INFO", "setup.cfg"}


def tracked(folder: str, suffixes: set[str]) -> set[str]:
    """The files that git tracks below a folder, from there.

    Raises:
        SystemExit: git is not installed, or does not list them; it says why.
    """
    try:
        listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise SystemExit("tools/contents.py asks git which files there are: install git") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"git cannot list the files of {ROOT}: {error.stderr.strip()}") from None
    found = [PurePosixPath(name) for name in listed.stdout.splitlines()]
    return {str(name.relative_to(folder)) for name in found if name.suffix in suffixes}


def of_wheel(names: list[str], modules: set[str], compiled: set[str]) -> list[str]:
    """What is wrong with the files of a wheel: one line each.

    Args:
        names: the files.
        modules: the Python files that it must have.
        compiled: the modules that it must have as extension modules, too, by name below `chainrule`.
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
    """What is wrong with the files of an sdist."""
    inside = {name.partition("/")[2] for name in names} - {""}
    wanted = {f"src/chainrule/{name}" for name in tracked("src/chainrule", {".py", ".pyx", ".pxd", ".h", ".typed"})}
    wanted |= {f"building/{name}" for name in tracked("building", {".py"})}
    found = {name for name in inside if not name.startswith("src/chainrule.egg-info/")}
    return _differences("sdist", found, wanted | BUILD | MADE)


def _differences(what: str, found: set[str], wanted: set[str]) -> list[str]:
    wrong = [f"{name} is no part of the {what}" for name in sorted(found - wanted)]
    return wrong + [f"{name} is missing in the {what}" for name in sorted(wanted - found)]


def main(kind: str, wheel: str, sdist: str) -> int:
    compiled = {"compiled": runpy.run_path(str(BUILDS))["COMPILED"], "pure": ()}[kind]
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        wrong = of_wheel(names, tracked("src/chainrule", {".py"}), set(compiled))
    with tarfile.open(sdist) as archive:
        wrong += of_sdist([member.name for member in archive.getmembers() if member.isfile()])
    print(*wrong or [f"the {kind} wheel and the sdist hold what they should"], sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
