"""Random programs of objects with state, ragged loops and changed lists: compiled functions equal dual numbers.

What they are made of, and how near is near enough, stands in `object_programs`. As in `test_random_programs`,
`CHAINRULE_PROGRAMS` is how many there are to be, and `CHAINRULE_SEED` a whole number by which they become others.
`tools/programs.py` runs ten thousand.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

import chainrule

pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

from .object_programs import comparison
from .object_programs.comparison import Comparison, Reference, examine
from .object_programs.generator import LARGE, Numbers, program_of

PROGRAMS = int(os.environ.get("CHAINRULE_PROGRAMS", "40"))
FIRST = int(os.environ.get("CHAINRULE_SEED", "0")) * 1_000_000


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    """Each run compiles."""
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))


@pytest.mark.slow
def test_compiled_programs_equal_dual_numbers():
    counts, refused = Counter(), Counter()
    for seed in range(FIRST, FIRST + PROGRAMS):
        program = program_of(seed)
        outcome = examine(program)
        assert not outcome.wrong, f"{program}\n{outcome.wrong}"
        counts.update(outcome.counts)
        refused[outcome.refused] += 1
    print(dict(counts), dict(refused))
    aside = counts["near a branch"] + counts["not finite"]
    assert aside <= max(0.01, 2 / PROGRAMS) * counts["samples"]
    assert refused[""] >= 0.95 * PROGRAMS - 1
    assert counts["sharp numbers"] > 0.98 * counts["numbers"]


# ---- the generator ---------------------------------------------------------------------------------------------------

KINDS = ["class ", "@dataclass", "(Module)", "nonlocal", "yield", "lambda", "def up(self)", "replace(self"]
KINDS += ["range(i + 1)", "[i - j]", "[t - 3]", "range(i)", "for k in places", "ops.take(", ".append(", ".pop("]
KINDS += [".reverse()", "reversed(", "[::2]", "+= ", "    if ", "    while ", "ops.select(", "ops.logsumexp(", "max("]


@functools.cache
def texts():
    return [program_of(seed).source for seed in range(400)]


@pytest.mark.parametrize("kind", KINDS)
def test_programs_are_made_of_what_people_write(kind):
    assert sum(kind in text for text in texts()) >= 4


def test_a_seed_is_one_program_for_ever():
    """Another digest means other programs: whoever changes the generator runs the ten thousand again."""
    whole = "".join([str(program_of(seed)) for seed in range(200)])
    digest = hashlib.sha256(whole.encode()).hexdigest()
    assert digest == "cb187a27b836af317a5880ecc89e9ee13698affb45d5beb1b60517cbba5f84d7"
    assert len(set(texts())) == len(texts())
    program = program_of(7)
    assert Numbers(program, 0).sample(program.arguments[0], 5) == Numbers(program, 0).sample(program.arguments[0], 5)


def test_programs_are_run_in_all_ways():
    programs = [program_of(seed) for seed in range(400)]
    assert sum(program.batches == (LARGE,) for program in programs) == 8
    assert {program.task for program in programs} == {"gradient", "jacobian", "step"}
    assert {program.model for program in programs} == {"", "argument", "around"}
    options = Counter((name, x) for program in programs for name, x in program.options.items())
    for option in [("reduce", "sum"), ("reduce", "mean"), ("dtype", "float32"), ("threads", 2), ("strict", True)]:
        assert options[option] >= 3
    axes = Counter(leaf.axis for program in programs for a in program.arguments for leaf in a.leaves)
    assert min(axes[0], axes[1], axes[None]) >= 20


def test_the_reference_runs_programs_without_chainrule():
    for seed in range(40):
        program = program_of(seed)
        numbers, reference = Numbers(program, 0), Reference(program)
        found = reference.run(numbers, 0, [comparison.Dual(0.3)] * len(reference.names))
        assert found.finite
        assert reference.operations_of(numbers) > 5


def test_a_process_that_dies_names_its_seed_and_the_others_go_on(monkeypatch, tmp_path, capsys, loaded):
    monkeypatch.setattr(sys, "path", list(sys.path))
    tool = loaded(Path(__file__).parents[2] / "tools" / "programs.py")
    worker = tmp_path / "worker.py"
    worker.write_text(DYING, encoding="utf-8")
    monkeypatch.setattr(tool, "WORKER", [str(worker)])
    results, found = tmp_path / "results.jsonl", {}
    tool.Runs(list(range(30)), 2, results, found).run()
    assert sorted(found) == list(range(30))
    assert [seed for seed in sorted(found) if found[seed]["wrong"]] == [4, 25]
    assert "the process ended with 3" in found[4]["wrong"][0]
    assert sorted(tool._results_of(results)) == [seed for seed in range(30) if seed not in (4, 25)]  # these once more
    assert tool.summarise([found[seed] for seed in range(4)], 1.0) == 0
    assert tool.summarise(list(found.values()), 1.0) == 1
    assert "[4, 25]" in capsys.readouterr().out


DYING = """
import json, os, sys
first, last = map(int, sys.argv[-1].split("-"))
for seed in range(first, last + 1):
    print("start", seed, flush=True)
    if seed in (4, 25):
        os._exit(3)
    counts = {"samples": 2, "numbers": 3}
    print(json.dumps(dict(seed=seed, counts=counts, wrong=[], refused="", worst=0.1, seconds=0.1)), flush=True)
"""


# ---- what is wrong is seen -------------------------------------------------------------------------------------------


def wrong_with(monkeypatch, planted):
    """Of some programs, how many are found to be wrong if their functions are planted ones."""
    before = chainrule.compile

    def compiled(function, **options):
        return planted(before(function, **options))

    monkeypatch.setattr(chainrule, "compile", compiled)
    chosen = [p for p in map(program_of, range(60)) if p.task == "gradient" and p.batches[0] and p.bits == 64][:8]
    return [bool(examine(program).wrong) for program in chosen]


class Planted:
    """A compiled function whose results are changed."""

    def __init__(self, function, change):
        self.function, self.change = function, change

    def value_and_grad(self, *args, **named):
        return self.change(*self.function.value_and_grad(*args, **named))


@pytest.mark.slow
def test_a_value_that_is_off_by_a_few_roundings_is_seen(monkeypatch):
    found = wrong_with(monkeypatch, lambda f: Planted(f, lambda value, by: (value * (1 + 1e-11), by)))
    assert sum(found) >= 7


@pytest.mark.slow
def test_a_sample_that_has_the_derivative_of_another_is_seen(monkeypatch):
    def change(value, by):
        return value, (by[0] if not hasattr(by[0], "shape") or len(by[0]) < 2 else by[0][::-1], *by[1:])

    assert sum(wrong_with(monkeypatch, lambda f: Planted(f, change))) >= 4


def test_a_wrong_local_derivative_is_seen(monkeypatch):
    program = next(p for p in map(program_of, range(100)) if p.task == "gradient" and "ops.tanh(" in p.source)
    wrong = Comparison(program)
    wrong.space["ops"] = Off()
    assert not examine(program).wrong
    assert wrong.run().wrong


class Off:
    """The operations, of which one has a slope that is wrong by a part in a thousand million."""

    def __getattr__(self, name):
        return getattr(chainrule.ops, name)

    def tanh(self, x):
        y = chainrule.ops.tanh(x)
        return chainrule.stop_gradient(y) + 1.000000001 * (y - chainrule.stop_gradient(y))
