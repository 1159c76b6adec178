"""The command as a whole: help, version, exit codes, other programs around it, and what it needs installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import chainrule
from chainrule.cli import main
from chainrule.cli.screen import complain

SOURCE = Path(chainrule.__file__).parents[1]
COMMANDS = ["train", "predict", "info", "draw", "explain", "check", "see", "step"]


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(SOURCE), "MPLBACKEND": "Agg", **more}


def start(*words, **options):
    command = [sys.executable, "-m", "chainrule", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment(), text=True, encoding="utf-8", **{**pipes, **options})


def finish(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(run, flag):
    code, out, err = run(flag)
    assert (code, err) == (0, "")
    assert [command for command in COMMANDS if re.search(rf"^│ {command} ", out, re.MULTILINE)] == COMMANDS


def test_nothing_said_shows_the_help(run):
    assert run() == run("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example_and_says_something_of_each_option(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"    chainrule {command} " in out
    assert max(len(line) for line in out.splitlines()) <= 80
    options = re.findall(r"^│ (?:\* )? *(--[a-z-]+|[A-Z]{3,}) (.*)│$", out, re.MULTILINE)
    assert options
    for name, described in options:
        assert re.search(r"[a-z]{2}", described), name


def test_the_examples_in_the_help_run(run, iris, folder):
    _, out, _ = run("--help")
    lines = re.findall(r"^    chainrule (.*)$", out, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        words = __import__("shlex").split(line)
        if words[0] == "train":
            words += ["--epochs", "1"]
        assert run(*words).code == 0


def test_version(run):
    assert run("--version") == (0, f"{chainrule.__version__}\n", "")


def test_main_takes_the_words_of_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chainrule", "explain", "2*x", "x=3", "--quiet"])
    assert main() == 0
    assert capsys.readouterr().out == "x.grad = 2\n"


def test_a_complaint_is_one_short_line(capsys):
    complain("a\nb\t" + "c" * 10_000)
    line = capsys.readouterr().err
    assert line.startswith("chainrule: a b c")
    assert line.endswith("c …\n")
    assert len(line) < 600


# ---- as a program of its own ----


def test_python_m_chainrule_trains_and_predicts(folder, iris):
    assert finish(start("train", "iris.csv", "--epochs", "3", "--quiet"))[0] == 0
    code, out, err = finish(start("predict", "iris.model.json", "iris.csv"))
    assert code == 0
    probabilities = "probability,probability_setosa,probability_versicolor,probability_virginica"
    assert out.splitlines()[0].endswith(f"species,predicted_species,{probabilities}")
    assert len(out.splitlines()) == 151
    assert err.startswith("accuracy ")


def test_a_mistake_has_exit_code_2_and_no_traceback(folder):
    assert finish(start("train", "nothing.csv")) == (2, "", "chainrule: nothing.csv does not exist.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ctrl_c_during_training_keeps_the_best_model(folder):
    process = start("train", "spiral", "--epochs", "100000")
    lines = iter(process.stderr.readline, "")
    assert "held out" in next(lines)
    assert any("epoch" in line for line in lines)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130
    assert " (Ctrl-C)" in out
    assert "Traceback" not in err
    assert sorted(file.name for file in folder.iterdir()) == ["spiral.model.json", "spiral.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are POSIX's")
def test_a_reader_that_has_had_enough_gets_no_traceback(folder, iris):
    assert finish(start("train", "iris.csv", "--epochs", "1", "--quiet"))[0] == 0
    (folder / "many.csv").write_text(iris.read_text() + "\n".join(iris.read_text().splitlines()[1:] * 40))
    process = start("predict", "iris.model.json", "many.csv", "--quiet")
    process.stdout.readline()
    process.stdout.close()
    with process.stderr as told:
        assert told.read() == ""
    assert process.wait(timeout=120) == 141


def test_letters_that_the_terminal_lacks_are_written_as_codes(folder):
    command = [sys.executable, "-m", "chainrule", "explain", "x*y", "x=1", "y=2"]
    ended = subprocess.run(command, env=environment(PYTHONIOENCODING="ascii"), capture_output=True, check=True)
    assert rb"upstream \xd7 local" in ended.stdout


WITHOUT = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
from chainrule.cli import main
sys.exit(main({words!r}))
"""


@pytest.mark.parametrize("words", [["train", "xor"], ["--help"], []])
def test_without_cyclopts_one_line_says_what_to_install(folder, words):
    code = WITHOUT.format(missing=["cyclopts", "rich", "matplotlib"], words=words)
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "chainrule: this needs cyclopts, which is not installed: pip install 'chainrule[cli]'\n"


# ---- on a terminal ----


def on_a_terminal(*words, columns=80, **more):
    """What a command writes on a pseudo-terminal, both streams together."""
    import pty

    main_end, other_end = pty.openpty()
    settings = environment(TERM="xterm-256color", COLUMNS=str(columns), LINES="24", **more)
    command = [sys.executable, "-m", "chainrule", *words]
    process = subprocess.Popen(command, env=settings, stdin=other_end, stdout=other_end, stderr=other_end)
    os.close(other_end)
    written, deadline = b"", time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            part = os.read(main_end, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        written += part
    os.close(main_end)
    assert process.wait(timeout=10) == 0
    return written.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_a_terminal_sees_a_bar_with_loss_and_accuracy_and_bold_results(folder):
    written = on_a_terminal("train", "xor", "--epochs", "4")
    assert "epoch 4/4" in written
    assert "━" in written
    assert re.search(r"validation loss [\d.]+  validation accuracy [\d.]+ %", written)
    assert "\x1b[1m" in written


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_no_color_is_heeded(folder):
    written = on_a_terminal("train", "xor", "--epochs", "4", NO_COLOR="1")
    assert not re.search(r"\x1b\[(?:[\d;]*;)?(?:3[0-9]|4[0-9]|9[0-7])m", written)
