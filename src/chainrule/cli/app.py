"""The commands with their options and help, which cyclopts derives from the functions here."""

# No `from __future__ import annotations`: cyclopts reads the annotations, which name things that only exist in here.

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from chainrule import __version__
from chainrule.cli import expressions
from chainrule.cli.info import info as run_info
from chainrule.cli.learn_commands import add_learn
from chainrule.cli.options import DataOptions, NetOptions, OutputOptions, Reading, TrainingOptions
from chainrule.cli.playing import playground as run_playground
from chainrule.cli.predict import predict as run_predict
from chainrule.cli.seeing import see as run_see
from chainrule.cli.stepping import step as run_step
from chainrule.cli.train import train as run_train
from chainrule.core.extras import require
from chainrule.errors import ArgumentError

cyclopts = require("cyclopts", extra="cli")

ROWS, NET, TRAINING, OUTPUT = DataOptions(), NetOptions(), TrainingOptions(), OutputOptions()

HELP = """Write scalar Python. See every derivative.

Train a small network on a table, and look at the chain rule on numbers of your own:

    chainrule train iris.csv
    chainrule predict iris.model.json iris.csv
    chainrule explain 'tanh(x*w + b)' x=2 w=-3 b=6.5
"""


def run(arguments: Sequence[str]) -> int:
    """Runs the command that the arguments name.

    Returns:
        Its exit code.

    Raises:
        ArgumentError: the arguments are invalid.
    """
    try:
        code = build()(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        raise _in_our_words(error) from None
    return code or 0


def build() -> Any:
    """The cyclopts app with all its commands."""
    app = cyclopts.App(
        name="chainrule",
        help=HELP,
        help_format="plaintext",
        help_flags=["--help", "-h"],
        version=__version__,
        group_parameters="Options",
        suppress_keyboard_interrupt=False,  # main reports Ctrl-C
        default_parameter=cyclopts.Parameter(negative="", show_default=_default, converter=_convert),
    )
    for add in (
        _add_train,
        _add_predict,
        _add_info,
        _add_draw,
        _add_explain,
        _add_check,
        _add_see,
        _add_step,
        _add_playground,
        add_learn,
    ):
        add(app)
    return app


def _default(value: Any) -> str | None:
    """The default that help shows: none for flags, and none for what is determined later."""
    return None if value is None or value is False else str(value)


def _convert(type_: Any, tokens: Any) -> Any:
    """Converts like cyclopts, but refuses 2.7 as an integer."""
    whole = int in (type_, *get_args(type_)) and isinstance(tokens, Sequence)
    if whole and not re.fullmatch(r"[+-]?\d+", tokens[0].value.strip(), re.ASCII):
        raise ValueError(f"{tokens[0].value!r} is not a whole number")
    return cyclopts.convert(type_, tokens)


def _in_our_words(error: Any) -> ArgumentError:
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, cyclopts.UnusedCliTokensError):
        text = f"too much on the command line: {' '.join(error.unused_tokens)}"
    command = " ".join(["chainrule", *[str(part) for part in error.command_chain or ()]])
    return ArgumentError(f"{text[:1].lower()}{text[1:]} (see {command} --help)")


def _add_train(app: Any) -> None:
    dash = cyclopts.Parameter(allow_leading_hyphen=True)

    def flat(title: str, position: int) -> Any:
        return cyclopts.Parameter(name="*", group=cyclopts.Group(title, sort_key=position))

    @app.command(sort_key=1)
    def train(
        data: Annotated[str, dash],
        /,
        *,
        rows: Annotated[DataOptions, flat("Rows", 1)] = ROWS,
        net: Annotated[NetOptions, flat("Network", 2)] = NET,
        training: Annotated[TrainingOptions, flat("Training", 3)] = TRAINING,
        output: Annotated[OutputOptions, flat("Output", 4)] = OUTPUT,
    ) -> int:
        """Train a network on a table or a toy set, and measure it on rows that it has never seen.

        Leaves the model in a JSON file and a picture of how it went. For instance:

            chainrule train moons
            chainrule train iris.csv --target species --sizes 8,8 --epochs 100

        Args:
            data: A CSV file (also .csv.gz), a Parquet file, - for standard input, or a toy set: xor, moons, circles,
                spiral.
        """
        return run_train(data, rows, net, training, output)


def _add_predict(app: Any) -> None:
    dash = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=2)
    def predict(
        model: Path,
        file: Annotated[Path, dash],
        /,
        *,
        out: Path | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        force: bool = False,
        quiet: bool = False,
    ) -> int:
        """Predict the target for each row of a CSV file.

        Writes the rows as CSV with the prediction added: the class, its probability and those of all classes, or the
        number. If the file has the target, too, standard error says how many predictions are right. For instance:

            chainrule predict iris.model.json flowers.csv --out named.csv

        Args:
            model: What chainrule train left behind.
            file: The rows, CSV or Parquet, or - for standard input; columns are found by name.
            out: The file for the rows with predictions; standard output if left out.
            delimiter: The character between the cells, or tab; found by default.
            encoding: The encoding of the file, such as cp1252; found by default.
            force: Write over a file that exists.
            quiet: Print the rows only.
        """
        return run_predict(model, file, out, Reading(delimiter, encoding), force=force, quiet=quiet)


def _add_info(app: Any) -> None:
    @app.command(sort_key=3)
    def info(model: Path, /) -> int:
        """Say what a model predicts, from which columns, and how good it was.

        For instance:

            chainrule info iris.model.json

        Args:
            model: What chainrule train left behind.
        """
        return run_info(model)


def _add_draw(app: Any) -> None:
    leading_minus = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=4)
    def draw(
        expression: Annotated[str, leading_minus],
        /,
        *numbers: str,
        out: Path | None = None,
        expand: bool = False,
        force: bool = False,
        quiet: bool = False,
    ) -> int:
        """Draw the graph of an expression, with the number and the derivative of each node.

        A tree for the terminal, or a picture in a file. For instance:

            chainrule draw 'tanh(x*w + b)' x=2 w=-3 b=6.5 --out graph.svg

        Args:
            expression: The expression, in quotes.
            numbers: A number for each variable, such as x=2 or angle=pi/2.
            out: A file whose name ends in .svg, .png, .pdf, .html, .dot or .txt.
            expand: Show weighted sums as products and additions.
            force: Write over a file that chainrule did not write.
            quiet: Do not say where the file is.
        """
        return expressions.draw(expression, numbers, out, expand=expand, force=force, quiet=quiet)


def _add_explain(app: Any) -> None:
    leading_minus = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=5)
    def explain(expression: Annotated[str, leading_minus], /, *numbers: str, quiet: bool = False) -> int:
        """Tell the chain rule on an expression, step by step with its numbers.

        For instance:

            chainrule explain 'tanh(x1*w1 + x2*w2 + b)' x1=2 x2=0 w1=-3 w2=1 b=6.8813735870195432

        Args:
            expression: The expression, in quotes.
            numbers: A number for each variable, such as x=2 or angle=pi/2.
            quiet: Print the derivatives only.
        """
        return expressions.explain(expression, numbers, quiet=quiet)


def _add_check(app: Any) -> None:
    leading_minus = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=6)
    def check(expression: Annotated[str, leading_minus], /, *numbers: str, order: int = 1, quiet: bool = False) -> int:
        """Compare the derivatives of an expression with what small steps of its inputs give.

        Ends with exit code 1 if one is wrong. For instance:

            chainrule check 'sin(x)*exp(-y)' x=1 y=0.5 --order 2

        Args:
            expression: The expression, in quotes.
            numbers: A number for each variable, such as x=2 or angle=pi/2.
            order: 2 compares all second derivatives as well.
            quiet: Print nothing unless a derivative is wrong.
        """
        return expressions.check(expression, numbers, order=order, quiet=quiet)


def _add_see(app: Any) -> None:
    leading_minus = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=7)
    def see(
        what: Annotated[str, leading_minus],
        /,
        *more: str,
        out: Path | None = None,
        open: bool = False,
        force: bool = False,
        quiet: bool = False,
    ) -> int:
        """Write a page that steps through a graph: each number as it is made, each deposit of backward().

        Of an expression, of a program (which runs as with python), or of a recording. For instance:

            chainrule see 'tanh(x*w + b)' x=2 w=-3 b=6.5 --open
            chainrule see program.py

        Args:
            what: The expression, in quotes; or a file whose name ends in .py or .json.
            more: A number for each variable, such as x=2; or what the program gets as its arguments.
            out: The file for the page; named after the program, or graph.html, if left out.
            open: Open the page in the browser.
            force: Write over a file that is no page of chainrule's.
            quiet: Do not say where the page is.
        """
        return run_see(what, more, out, show=open, force=force, quiet=quiet)


def _add_step(app: Any) -> None:
    leading_minus = cyclopts.Parameter(allow_leading_hyphen=True)

    @app.command(sort_key=8)
    def step(what: Annotated[str, leading_minus], /, *more: str) -> int:
        """Step through a graph in the terminal, with its source, its deposits and questions about what comes next.

        For instance:

            chainrule step 'tanh(x*w + b)' x=2 w=-3 b=6.5

        Args:
            what: The expression, in quotes; or a file whose name ends in .py or .json.
            more: A number for each variable, such as x=2; or what the program gets as its arguments.
        """
        return run_step(what, more)


def _add_playground(app: Any) -> None:
    @app.command(sort_key=9)
    def playground(*, out: Path | None = None, open: bool = False, force: bool = False, quiet: bool = False) -> int:
        """Write a page in which a small net trains: on moons, circles, a spiral, xor, or points of your own.

        The page needs no network. A click on a point opens its scalar graph; the net leaves as Python code or as a
        model for chainrule predict. For instance:

            chainrule playground --open

        Args:
            out: The file for the page; playground.html if left out.
            open: Open the page in the browser.
            force: Write over a file that is no page of chainrule's.
            quiet: Do not say where the page is.
        """
        return run_playground(out, show=open, force=force, quiet=quiet)
