"""What one does while working on chainrule, by name: `nox -s lint`, or `nox -l` to see what there is.

Each session makes an environment of its own; `nox -R -s test` uses it once more without installing anything. What comes
after `--` goes to the program that is run: `nox -s test -- tests/nn -k linear`. CI is `.ci/run`, whose parts do as
much or more.
"""

import nox

nox.options.sessions = ["lint", "types", "test"]

EVERY_PYTHON = ["3.11", "3.12", "3.13"]
ON_ALL_CORES = ["-q", "-n", "auto"]
# as in the part `documents` of .ci/run
DOCUMENTS = [
    "--ignore=src/chainrule/learn/course",
    "src",
    "README.md",
    "docs",
    "benchmarks/contest/against.py",
    "tools/lowest.py",
    "tools/walk.py",
]


@nox.session
def test(session: nox.Session) -> None:
    """The tests that the README's command runs: all but the slow ones."""
    session.install("-e", ".[test]")
    session.run("pytest", *ON_ALL_CORES, "-m", "not slow", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The slow tests."""
    session.install("-e", ".[test]")
    session.run("pytest", *ON_ALL_CORES, "-m", "slow", *session.posargs)


@nox.session
def pure(session: nox.Session) -> None:
    """All tests on the plain Python files."""
    session.install("-e", ".[test]")
    session.run("pytest", *ON_ALL_CORES, *session.posargs, env={"CHAINRULE_PURE": "1"})


@nox.session(python=EVERY_PYTHON)
def versions(session: nox.Session) -> None:
    """All tests on each version of Python that is supported and installed here."""
    session.install(".[test]")
    session.run("pytest", *ON_ALL_CORES, *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """The tests that compare with PyTorch and micrograd, among the others."""
    session.install("-e", ".[test,peers]")
    session.run("pytest", *ON_ALL_CORES, *session.posargs)


@nox.session
def doctests(session: nox.Session) -> None:
    """The examples in docstrings and documents."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "--doctest-modules", "--doctest-glob=*.md", *(session.posargs or DOCUMENTS))


@nox.session
def docs(session: nox.Session) -> None:
    """Writes the page of operations anew, from the table."""
    session.install("-e", ".")
    session.run("python", "docs/operations.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types."""
    session.install("-e", ".[test,lint]")
    session.run("mypy", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The eager engine against plain floats and its peers, quickly; `-- --rounds 11` for figures to quote."""
    session.install("-e", ".[test,peers]")
    session.run("python", "benchmarks/eager.py", *(session.posargs or ["--quick"]))
