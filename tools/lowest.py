"""The lowest versions that pyproject.toml declares, as constraints for pip: python tools/lowest.py > lowest.txt

`pip install -c lowest.txt '.[test]'` then installs these, if they go together, and the tests show whether they suffice.
"""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest(requirements: list[str]) -> dict[str, str]:
    """The lowest version that each requirement allows; the project's own extras, which name none, are left out.

    >>> lowest(["rich>=13.6", "torch==2.13.0", "chainrule[all]"])
    {'rich': '13.6', 'torch': '2.13.0'}
    >>> lowest(["numpy>=2.1; python_version >= '3.13'"])
    Traceback (most recent call last):
    SystemExit: numpy>=2.1; python_version >= '3.13': what is its lowest version? Known are NAME>=VERSION, NAME==VERSION
    """
    versions = {}
    for requirement in requirements:
        match = re.fullmatch(r"([\w.-]+)[>=]=([\d.]+)", requirement)
        if match:
            versions[match[1]] = match[2]
        elif not re.fullmatch(r"chainrule\[[\w,]+\]", requirement):
            raise SystemExit(f"{requirement}: what is its lowest version? Known are NAME>=VERSION, NAME==VERSION")
    return versions


def main() -> None:
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    declared = [requirement for name, extra in extras.items() if name != "lint" for requirement in extra]
    for name, version in sorted(lowest(declared).items()):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
